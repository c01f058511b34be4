/** What an endpoint's answer means to the phone, by its status and by what it opens to. */
import { isObject, type JsonValue, nonEmptyString } from '../../../json.ts';
import type { ExchangeReport } from '../../api.ts';
import type { Outcome } from '../flow/phone-state.ts';
import type { Sealed } from './seal.ts';

const EXPIRED_TEXT = 'This message is no longer valid.';

/** With what the answer opened to, for the inspector. */
export async function outcomeOf(
  status: number,
  report: ExchangeReport | undefined,
  sealed: Sealed,
): Promise<[Outcome, JsonValue | undefined]> {
  const body = report?.body ?? '';
  if (status === 200) return readAnswer(body, sealed);
  if (status === 427) return readExpired(body, sealed);
  const reason = REASONS[status] ?? `The endpoint answered ${status}.`;
  return [{ kind: 'failed', reason: [reason, causeOf(report)].filter(Boolean).join(' ') }, undefined];
}

function causeOf(report: ExchangeReport | undefined): string {
  if (report?.refusal) return 'The reply guard refused the answer: the inspector says why.';
  return report?.thrown === undefined ? '' : `The handler threw: ${report.thrown}`;
}

const REASONS: Readonly<Record<number, string>> = {
  0: 'The endpoint could not be reached.',
  421: 'The endpoint could not decrypt the request, with a fresh key either (421).',
  432: 'The endpoint did not accept the signature (432).',
  504: 'The endpoint took too long (504).',
};

async function readAnswer(body: string, sealed: Sealed): Promise<[Outcome, JsonValue | undefined]> {
  try {
    const payload = JSON.parse(await sealed.open(body)) as JsonValue;
    return [{ kind: 'answer', payload }, payload];
  } catch (error) {
    const reason = error instanceof SyntaxError ? 'the answer opens to what is no JSON' : (error as Error).message;
    return [{ kind: 'unreadable', reason }, undefined];
  }
}

/** An empty body is fine; one in plain JSON is of no use to the real client. */
async function readExpired(body: string, sealed: Sealed): Promise<[Outcome, JsonValue | undefined]> {
  if (body === '') return [{ kind: 'expired', text: EXPIRED_TEXT }, undefined];
  const [outcome, payload] = await readAnswer(body, sealed);
  if (outcome.kind !== 'answer') return [outcome, undefined];
  const text = isObject(payload) ? nonEmptyString(payload['error_msg']) : undefined;
  return [{ kind: 'expired', text: text ?? EXPIRED_TEXT }, payload];
}
