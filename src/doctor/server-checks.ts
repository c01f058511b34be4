/** What serves HTTP on this machine, whether the running server is ready, and where its events are kept. */
import { createRequire } from 'node:module';
import { isObject, type JsonObject } from '../json.ts';
import type { InboxReport } from '../webhooks/admin.ts';
import { type Check, type DoctorContext, type Finding, failed, ok, skipped } from './check.ts';
import { type Answer, whyNoAnswer } from './send.ts';

export const httpServerCheck: Check = {
  name: 'HTTP server',
  run({ settings: { httpServer }, loadUws }) {
    const here = `Node ${process.version}, ${process.platform} ${process.arch}, ${libraryOfC()}`;
    if (httpServer === 'node') return ok(`node:http, as HTTP_SERVER says; ${here}`);
    try {
      loadUws();
    } catch (error) {
      const why = `uWebSockets.js cannot be loaded (${whyNotLoaded(error)})`;
      const remedy = 'see "uWebSockets.js" in the README';
      if (httpServer === 'uws') return failed(`${why}, so node:http would serve, ${here}: ${remedy}`);
      return ok(`node:http, which is slower: ${why}; ${here}; ${remedy}`);
    }
    return ok(`uWebSockets.js, ${versionOfUws()}; ${here}`);
  },
};

function libraryOfC(): string {
  const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  if (header?.glibcVersionRuntime !== undefined) return `glibc ${header.glibcVersionRuntime}`;
  return process.platform === 'linux' ? 'no glibc (musl)' : 'no glibc';
}

function whyNotLoaded(error: unknown): string {
  const { code, message = '' } = error as { code?: string; message?: string };
  const wantsGlibc = /GLIBC_\d+(?:\.\d+)*/.exec(message)?.[0];
  if (wantsGlibc !== undefined) return `its binary needs ${wantsGlibc.replace('_', ' ')}`;
  if (code === 'MODULE_NOT_FOUND') return 'the optional package is not installed';
  if (/uws_\w+\.node/.test(message)) return `it has no binary ${/uws_\w+\.node/.exec(message)?.[0]} that fits`;
  return 'its binary does not fit';
}

/** As installed, by whatever name the package came. */
function versionOfUws(): string {
  try {
    const { name, version } = createRequire(import.meta.url)('uWebSockets.js/package.json') as Record<string, string>;
    const abi = process.versions.modules;
    return `${name} ${version}, binary uws_${process.platform}_${process.arch}_${abi}`;
  } catch {
    return 'of an unknown version';
  }
}

export const readinessCheck: Check = {
  name: 'running server',
  async run(context) {
    const answer = await askAdmin(context, '/readyz');
    if (!('body' in answer)) return answer;
    const { status, body } = answer;
    const reply = parseObject(body);
    if (status === 200 && reply?.['ready'] === true) return ok(`ready, says ${context.adminUrl}/readyz`);
    const problems = isObject(reply?.['problems']) ? Object.entries(reply['problems']) : [];
    if (status === 503 && problems.length > 0) {
      return failed(`not ready: ${problems.map(([name, problem]) => `${name}: ${String(problem)}`).join('; ')}`);
    }
    return failed(`${context.adminUrl} answers ${status}: give --admin the admin port (ADMIN_PORT) of a server`);
  },
};

/** @returns a finding where there is nobody to ask. */
async function askAdmin(context: DoctorContext, path: string): Promise<Answer | Finding> {
  const { adminUrl, isAdminMeant, send, signal } = context;
  if (adminUrl === undefined) return skipped('give --admin, the admin port of the running server');
  try {
    return await send(adminUrl + path, { signal });
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'ECONNREFUSED' && !isAdminMeant) {
      return skipped(`nothing listens at ${adminUrl}: start the server, or give --admin`);
    }
    if (code === 'ECONNREFUSED') return failed(`nothing listens at ${adminUrl}: start the server, or mend --admin`);
    return failed(`${whyNoAnswer(error, adminUrl, signal)}. Is --admin the admin port?`);
  }
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export const redisCheck: Check = {
  name: 'Redis',
  async run({ settings: { redisUrl }, clock, signal }) {
    if (redisUrl === undefined) return skipped('set REDIS_URL to keep the inbox in Redis: it is embedded now');
    const place = URL.canParse(redisUrl) ? new URL(redisUrl).host : 'REDIS_URL';
    const { inspectRedis } = await import('../stores/inspect-redis.ts'); // late: it brings its client along
    const found = await inspectRedis(redisUrl, clock, signal);
    if (typeof found === 'string') return failed(`${place} cannot be used (${found}): ${remedyForRedis(found)}`);
    const { risks, roundTripMs } = found;
    const grave = risks?.filter(({ isGrave }) => isGrave) ?? [];
    const told = (grave.length > 0 ? grave : (risks ?? [])).map(
      ({ setting, message }) => `${message} (now ${setting})`,
    );
    if (grave.length > 0) return failed(`${place}: ${told.join('; ')}`);
    const safety = risks ? ['keeps what it is given', ...told].join('; ') : 'does not show its settings';
    return ok(`${place} answers in ${Math.round(roundTripMs)} ms, ${safety}`);
  },
};

function remedyForRedis(reason: string): string {
  if (/^(?:WRONGPASS|NOAUTH|NOPERM)$/.test(reason)) return 'mend user and password in REDIS_URL';
  if (reason === 'ENOTFOUND' || reason === 'EAI_AGAIN') return 'mend the host in REDIS_URL, or its DNS record';
  if (reason === 'LOADING') return 'it reads its file: try again';
  return 'start it, open its port, or mend REDIS_URL';
}

export const inboxCheck: Check = {
  name: 'inbox',
  async run(context) {
    const { settings, adminUrl, userId } = context;
    const answer = await askAdmin(context, '/inbox');
    const report = 'body' in answer ? toReport(answer) : undefined;
    if (report) {
      const { engine, waiting, leased, dead } = report;
      return ok(`${engine}, of the server at ${adminUrl}: ${waiting} waiting, ${leased} at work, ${dead} dead`);
    }
    if (settings.redisUrl !== undefined) return skipped('in Redis: a server whose admin port answers would tell more');
    const { inspectInboxFile } = await import('../stores/inspect-inbox-file.ts');
    const { isUsable, text } = inspectInboxFile(settings.dataDir, userId);
    return isUsable ? ok(text) : failed(text);
  },
};

function toReport({ status, body }: Answer): InboxReport | undefined {
  const reply = parseObject(body);
  const isReport = status === 200 && typeof reply?.['engine'] === 'string' && typeof reply['waiting'] === 'number';
  return isReport ? (reply as unknown as InboxReport) : undefined;
}
