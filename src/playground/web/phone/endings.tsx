/** Where a Flow ends, well or not. */
import type { Failure as FailureState, PhoneState } from '../flow/phone-state.ts';

/** The person reads the first line; the reason is for who develops. */
export function Failure({ failure, onRetry }: { readonly failure: FailureState; onRetry(): void }) {
  return (
    <div class="flow-body ending" data-failure>
      <p class="ending-title" role="alert">
        Something went wrong. Please try again.
      </p>
      {failure.request && (
        <button type="button" class="primary" onClick={onRetry}>
          Retry
        </button>
      )}
      <p class="reason">
        <strong>Only you see this:</strong> {failure.reason}
      </p>
    </div>
  );
}

export function Ending({ phone, onLeave }: { readonly phone: PhoneState; onLeave(): void }) {
  return (
    <div class="flow-body ending">
      <p class="ending-title" role="status">
        {textOf(phone)}
      </p>
      <button type="button" class="primary" onClick={onLeave}>
        Back to the chat
      </button>
    </div>
  );
}

function textOf({ stage, completion, expiredText }: PhoneState): string {
  if (stage === 'expired') return expiredText ?? '';
  if (!completion?.params) return 'The Flow has closed. It sends no message, since the answer has no params.';
  return completion.isSuccess ? 'Done. Your answers are sent.' : 'The Flow has ended.';
}
