/** The refusals of one path, told tenant by tenant: one whose secret is wrong must not hide another. */
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { RefusalLog } from '../http/refusal-log.ts';
import type { Tenant } from './tenant.ts';

/** @returns the log of a tenant's refusals; it lasts as long as its credentials are held. Undefined: of no tenant. */
export function refusalsByTenant(
  path: string,
  deps: { readonly log: Logger; readonly clock: Clock },
): (tenant: Tenant | undefined) => RefusalLog {
  const own = new RefusalLog(path, deps);
  const logs = new WeakMap<Tenant, RefusalLog>();
  return (tenant) => {
    if (tenant?.name === undefined) return own;
    const log = logs.get(tenant) ?? new RefusalLog(`${path}/${tenant.name}`, deps);
    logs.set(tenant, log);
    return log;
  };
}
