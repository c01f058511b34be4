/** `flowgate doctor [app]`: everything that stands between Meta and an answer, looked at once; a line a check. */
import { styleText } from 'node:util';
import { APP } from '../app.ts';
import { systemClock } from '../clock.ts';
import { readPartialSettings } from '../config/partial-settings.ts';
import { withOverrides } from '../config/settings.ts';
import { type DoctorContext, type Finding, type NamedFinding, runChecks } from '../doctor/check.ts';
import { checksFor } from '../doctor/checks.ts';
import { createSend } from '../doctor/send.ts';
import { createHandshake } from '../doctor/tls-handshake.ts';
import { FlowgateError } from '../errors.ts';
import type { AppDefinition } from '../host-parts.ts';
import { loadUws } from '../http/uws.ts';
import { adminUrlFromEnv, toAdminUrl } from './admin-port.ts';
import { CliError } from './cli-error.ts';
import { formatJson, printable } from './format-inbox.ts';
import { loadApp } from './load-app.ts';

export interface DoctorOptions {
  /** What Meta is given: of the server, or of one of its Flows. */
  readonly url?: string;
  /** Of the admin port. */
  readonly admin?: string;
  readonly json?: boolean;
}

/** @returns the exit code: 0 when nothing is wrong. Rejects with a CliError for an address that is none. */
export async function doctor(file: string | undefined, options: DoctorOptions): Promise<number> {
  const context = await collect(file, options);
  const findings = await runChecks(checksFor(context), context);
  const isWell = findings.every(({ status }) => status !== 'failed');
  console.log(options.json ? formatJson({ ok: isWell, checks: findings }) : formatFindings(findings));
  return isWell ? 0 : 1;
}

async function collect(
  file: string | undefined,
  { url, admin }: DoctorOptions,
): Promise<Omit<DoctorContext, 'signal'>> {
  const address = url === undefined ? undefined : toPublicAddress(url);
  const adminUrl = admin === undefined ? undefined : toAdminUrl(admin);
  const app = file === undefined ? undefined : await orProblem(loadApp(file));
  const definition: AppDefinition | undefined = typeof app === 'object' ? app[APP] : undefined;
  const env = withOverrides(definition?.settings ?? {});
  const flows = definition ? definition.flows : (app as string | undefined);
  return {
    settings: readPartialSettings(env),
    flows,
    url: address?.base,
    flowNames: address?.flow === undefined ? [...(definition?.flows.keys() ?? [])] : [address.flow],
    adminUrl: adminUrl ?? adminUrlIn(env),
    isAdminMeant: admin !== undefined,
    clock: systemClock,
    send: createSend(),
    handshake: createHandshake(),
    fetch,
    loadUws,
    userId: process.getuid?.(),
  };
}

async function orProblem<T>(loading: Promise<T>): Promise<T | string> {
  try {
    return await loading;
  } catch (error) {
    if (error instanceof CliError) return error.message;
    throw error;
  }
}

/** @returns undefined for settings that name none, which is told as their mistake. */
function adminUrlIn(env: NodeJS.ProcessEnv): string | undefined {
  try {
    return adminUrlFromEnv(env);
  } catch (error) {
    if (error instanceof FlowgateError) return undefined;
    throw error;
  }
}

/** @param text `https://example.com`, with a path before `/flows/` where a proxy has one, and with `/flows/<name>` or without. */
function toPublicAddress(text: string): { base: string; flow: string | undefined } {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search && !url.hash;
  if (!isPlain) throw new CliError('--url must be an http or https URL without user, query and fragment');
  const [, path = '', flow] = /^(.*?)(?:\/flows\/([a-z0-9][a-z0-9-]{0,63}))?\/*$/.exec(url.pathname) ?? [];
  return { base: url.origin + path, flow };
}

function formatFindings(findings: readonly NamedFinding[]): string {
  const width = Math.max(...findings.map(({ name }) => name.length));
  const lines = findings.map((finding) => {
    const { status, name, text } = finding;
    const line = `${name.padEnd(width)}  ${printable(text)}`;
    return `  ${MARKS[status]} ${status === 'skipped' ? styleText('gray', `${line}`) : line}`;
  });
  return `${lines.join('\n')}\n\n  ${summary(findings)}`;
}

const MARKS: Readonly<Record<Finding['status'], string>> = {
  ok: styleText('green', '\u2713'),
  failed: styleText('red', '\u2717'),
  skipped: styleText('gray', '-'),
};

function summary(findings: readonly NamedFinding[]): string {
  const count = (status: Finding['status']) => findings.filter((finding) => finding.status === status).length;
  return `${count('ok')} in order, ${count('failed')} to mend, ${count('skipped')} skipped`;
}
