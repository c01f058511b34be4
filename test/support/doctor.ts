/** A check on its own, with everything it may use. */
import { systemClock } from '../../src/clock.ts';
import { readPartialSettings } from '../../src/config/partial-settings.ts';
import { type Check, type DoctorContext, type Finding, runChecks } from '../../src/doctor/check.ts';
import { createSend } from '../../src/doctor/send.ts';
import { createHandshake } from '../../src/doctor/tls-handshake.ts';
import { loadUws } from '../../src/http/uws.ts';

type Context = Omit<DoctorContext, 'signal'>;

export interface ContextOptions extends Partial<Context> {
  readonly env?: Record<string, string>;
  /** PEM of the roots that a client trusts. */
  readonly ca?: string;
}

export function contextOf({ env = {}, ca, ...rest }: ContextOptions = {}): Context {
  return {
    settings: readPartialSettings(env),
    flows: undefined,
    url: undefined,
    flowNames: [],
    adminUrl: undefined,
    isAdminMeant: false,
    clock: systemClock,
    send: createSend(ca),
    handshake: createHandshake(ca),
    fetch,
    loadUws,
    userId: process.getuid?.(),
    ...rest,
  };
}

export async function findingOf(check: Check, options: ContextOptions = {}): Promise<Finding> {
  const [found] = await runChecks([check], contextOf(options));
  if (!found) throw new Error('no finding');
  const { status, text } = found;
  return { status, text };
}

/** What every check tells, by name. */
export async function findingsOf(
  checks: (context: Context) => readonly Check[],
  options: ContextOptions = {},
): Promise<Record<string, string>> {
  const context = contextOf(options);
  const found = await runChecks(checks(context), context);
  return Object.fromEntries(found.map(({ name, status, text }) => [name, `${status}: ${text}`]));
}
