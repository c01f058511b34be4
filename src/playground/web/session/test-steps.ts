/** How each step of the test ended, read from the phone. */
import type { PhoneState } from '../flow/phone-state.ts';
import type { StepEnd, TestStep } from '../inspector/copy-as-test.ts';
import { lastReport, type Recorded } from './records.ts';

/** @returns undefined for what a test cannot expect: a switch of the page, or an answer that came too late. */
export function endOf(phone: PhoneState, records: readonly Recorded[]): StepEnd | undefined {
  if (phone.stage === 'expired') return { kind: 'rejected', status: 427 };
  if (phone.stage === 'done') return { kind: 'completed', params: phone.completion?.params ?? {} };
  if (!phone.failure) {
    const screen = phone.frames.at(-1)?.screen;
    return screen === undefined ? undefined : { kind: 'screen', screen, errorMessage: phone.snackbar };
  }
  const record = records.findLast(({ kind }) => kind === 'phone');
  const status = record && lastReport(record)?.status;
  return status === undefined || status === 0 || status === 200 ? undefined : { kind: 'rejected', status };
}

export function withEnd(steps: readonly TestStep[], index: number, end: StepEnd | undefined): TestStep[] {
  return steps.map((step, at) => (at === index && hasEnd(step) ? { ...step, end } : step));
}

function hasEnd(step: TestStep): step is Extract<TestStep, { end?: StepEnd | undefined }> {
  return step.kind === 'open' || step.kind === 'submit' || step.kind === 'back';
}
