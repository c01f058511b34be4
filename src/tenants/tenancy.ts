/** Whose requests a service answers: the settings' own business, those of single Flows, and those that a provider tells. */
import type { KeyObject } from 'node:crypto';
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { FlowgateError } from '../errors.ts';
import type { HttpHandler } from '../http/server.ts';
import type { AppSecrets } from '../http/signature.ts';
import { type FlowCredentials, flowTenant, hasCredentials } from './credentials.ts';
import { TenantDirectory } from './directory.ts';
import type { TenantProvider } from './lookup.ts';
import { forTenants, type Tenant, type TenantHandler } from './tenant.ts';

export interface TenancyOptions {
  readonly flows: ReadonlyMap<string, FlowOfSomebody>;
  readonly provider: TenantProvider | undefined;
  /** The settings'. */
  readonly appSecrets: AppSecrets;
  readonly clock: Clock;
  readonly log: Logger;
}

interface FlowOfSomebody {
  readonly name: string;
  readonly credentials: FlowCredentials;
}

export class Tenancy {
  /** Who may sign what comes to `/webhook`: the business of the settings, and those that a Flow belongs to. */
  readonly webhookSecrets: AppSecrets;
  readonly #owners: ReadonlyMap<string, Tenant>;
  readonly #directory: TenantDirectory | undefined;

  /** @throws FlowgateError `SETTINGS_INVALID` with every mistake in the credentials of the Flows. */
  constructor({ flows, provider, appSecrets, clock, log }: TenancyOptions) {
    this.#owners = ownersOf(flows, { name: undefined, appSecrets, keys: undefined, verifyToken: undefined });
    this.webhookSecrets = together(appSecrets, this.#owners.values());
    this.#directory = provider && new TenantDirectory({ provider, clock, log });
  }

  /** Whose a Flow is; undefined: the settings'. */
  ownerOf(flow: FlowOfSomebody): Tenant | undefined {
    return this.#owners.get(flow.name);
  }

  /**
   * Serves the provider's tenants with `handler`, under its path.
   *
   * @param flow whose handler it is: one that belongs to a business is served to no other.
   * @returns undefined where no tenant is served.
   */
  under(handler: TenantHandler, flow?: FlowOfSomebody): ((name: string) => HttpHandler) | undefined {
    if (!this.#directory || (flow && this.#owners.has(flow.name))) return undefined;
    return forTenants(handler, this.#directory);
  }

  close(): void {
    this.#directory?.close();
  }
}

function ownersOf(flows: ReadonlyMap<string, FlowOfSomebody>, settings: Tenant): ReadonlyMap<string, Tenant> {
  const owners = new Map<string, Tenant>();
  const mistakes: string[] = [];
  for (const { name, credentials } of flows.values()) {
    if (!hasCredentials(credentials)) continue;
    try {
      owners.set(name, flowTenant(name, credentials, settings));
    } catch (error) {
      if (!(error instanceof FlowgateError)) throw error;
      mistakes.push(error.message);
    }
  }
  if (mistakes.length > 0) throw new FlowgateError('SETTINGS_INVALID', mistakes.join('; '));
  return owners;
}

/** Each secret once: a forged delivery costs an HMAC for each. */
function together(own: AppSecrets, owners: Iterable<Tenant>): AppSecrets {
  const others: KeyObject[] = [];
  for (const { appSecrets } of owners) {
    others.push(...appSecrets.filter((secret) => ![...own, ...others].some((known) => known.equals(secret))));
  }
  return [...own, ...others];
}
