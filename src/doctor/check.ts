/** What the doctor looks at, and how long: each check tells a fact, a fault with its remedy, or what it would need. */
import type { Clock } from '../clock.ts';
import type { PartialSettings } from '../config/partial-settings.ts';
import type { FlowDefinition } from '../flows/flow-definition.ts';
import type { loadUws } from '../http/uws.ts';
import type { Send } from './send.ts';
import type { Handshake } from './tls-handshake.ts';

/** Meta waits no longer for an answer. */
export const CHECK_TIMEOUT_MS = 10_000;
/** A check that is told to stop has this long to say what it was waiting for. */
const LAST_WORD_MS = 500;

export const FINDING_STATUSES = ['ok', 'failed', 'skipped'] as const;

export interface Finding {
  readonly status: (typeof FINDING_STATUSES)[number];
  /** The fact; what is wrong and what mends it; or what would make the check possible. Holds no secret. */
  readonly text: string;
}

/** Everything a check may use: what it reads is in here, and what it asks goes through here. */
export interface DoctorContext {
  readonly settings: PartialSettings;
  /** Of the app that was given, if one was; `string`: why it cannot be loaded. */
  readonly flows: ReadonlyMap<string, FlowDefinition> | string | undefined;
  /** What Meta is given, without `/flows/<name>`, `/webhook` and a slash at the end. */
  readonly url: string | undefined;
  /** Those that are asked through `url`. */
  readonly flowNames: readonly string[];
  readonly adminUrl: string | undefined;
  /** Asked for by address: then a server that does not answer there is a failure, and not merely absent. */
  readonly isAdminMeant: boolean;
  readonly clock: Clock;
  readonly send: Send;
  readonly handshake: Handshake;
  /** For the Graph API. */
  readonly fetch: typeof fetch;
  readonly loadUws: typeof loadUws;
  /** Of this user; undefined where users have no number. */
  readonly userId: number | undefined;
  /** Aborted when the check has taken too long. */
  readonly signal: AbortSignal;
}

export interface Check {
  readonly name: string;
  run(context: DoctorContext): Promise<Finding> | Finding;
}

export interface NamedFinding extends Finding {
  readonly name: string;
}

export const ok = (text: string): Finding => ({ status: 'ok', text });
export const failed = (text: string): Finding => ({ status: 'failed', text });
export const skipped = (text: string): Finding => ({ status: 'skipped', text });

/** Runs all checks at once. @returns what they found, in their order, at the latest after 10.5 s. */
export function runChecks(
  checks: readonly Check[],
  context: Omit<DoctorContext, 'signal'>,
): Promise<readonly NamedFinding[]> {
  return Promise.all(checks.map(async (check) => ({ name: check.name, ...(await runCheck(check, context)) })));
}

async function runCheck(check: Check, context: Omit<DoctorContext, 'signal'>): Promise<Finding> {
  const { clock } = context;
  const controller = new AbortController();
  let cancel = () => {};
  const tooLate = new Promise<Finding>((resolve) => {
    cancel = clock.after(CHECK_TIMEOUT_MS, () => {
      controller.abort();
      cancel = clock.after(LAST_WORD_MS, () => resolve(failed(`not known: it took more than ${seconds()} s`)));
    });
  });
  try {
    return await Promise.race([tooLate, Promise.resolve(check.run({ ...context, signal: controller.signal }))]);
  } catch (error) {
    return failed(`not known, by a defect of this command: ${error instanceof Error ? error.name : typeof error}`);
  } finally {
    cancel();
  }
}

/** How long a check may take. */
export function seconds(): number {
  return CHECK_TIMEOUT_MS / 1_000;
}
