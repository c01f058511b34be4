/**
 * Whose requests a process answers, and as whom it sends: the settings' own business, those of single Flows, and those
 * that a provider tells. Both halves of a service ask here, so a tenant is looked up once for both.
 */
import type { KeyObject } from 'node:crypto';
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { FlowgateError } from '../errors.ts';
import type { HttpHandler } from '../http/server.ts';
import type { AppSecrets } from '../http/signature.ts';
import { type FlowCredentials, flowSender, flowTenant, hasCredentials, isOfAnother } from './credentials.ts';
import { TenantDirectory, unknownTenant } from './directory.ts';
import type { TenantProvider } from './lookup.ts';
import { type FindSender, Sender } from './sender.ts';
import { forTenants, type Tenant, type TenantHandler } from './tenant.ts';

export interface TenancyOptions {
  readonly flows: ReadonlyMap<string, FlowOfSomebody>;
  readonly provider: TenantProvider | undefined;
  /** The settings'; undefined for a worker, which answers nobody and needs no secret of a Flow. */
  readonly appSecrets: AppSecrets | undefined;
  /** False for a process that handles no events, and needs no token of a Flow. */
  readonly isSending: boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

interface FlowOfSomebody {
  readonly name: string;
  readonly credentials: FlowCredentials;
}

export class Tenancy {
  readonly #owners = new Map<string, Tenant>();
  readonly #senders = new Map<string, Sender>();
  readonly #directory: TenantDirectory | undefined;

  /** @throws FlowgateError `SETTINGS_INVALID` with every mistake in the credentials of the Flows. */
  constructor({ flows, provider, appSecrets, isSending, clock, log }: TenancyOptions) {
    const settings = appSecrets && { name: undefined, appSecrets, keys: undefined, verifyToken: undefined };
    const mistakes: string[] = [];
    for (const { name, credentials } of flows.values()) {
      if (!hasCredentials(credentials)) continue;
      const note = (mistake: string) => mistakes.push(mistake);
      if (settings) keep(this.#owners, name, () => flowTenant(name, credentials, settings), note);
      if (isSending && isOfAnother(credentials)) keep(this.#senders, name, () => flowSender(name, credentials), note);
    }
    if (mistakes.length > 0) throw new FlowgateError('SETTINGS_INVALID', mistakes.join('; '));
    this.#directory = provider && new TenantDirectory({ provider, clock, log });
  }

  /** Who may sign what comes to `/webhook`: those that a Flow belongs to, beside the settings' own business. */
  webhookSecrets(own: AppSecrets): AppSecrets {
    return together(own, this.#owners.values());
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

  /** As whom a business sends, as far as it is known by now. An arrow, as it is handed on. */
  readonly findSender: FindSender = ({ kind, name }) => {
    const sender = kind === 'flow' ? this.#senders.get(name) : this.#directory && senderOf(this.#directory.find(name));
    if (!sender) throw unknownTenant(); // there was one when the event came in
    return sender;
  };

  close(): void {
    this.#directory?.close();
  }
}

function senderOf(tenant: Tenant | Promise<Tenant>): Sender | Promise<Sender> {
  return tenant instanceof Promise ? tenant.then(senderOf) : (tenant.sender ?? new Sender());
}

/** Keeps what is read, or notes what is wrong with it. */
function keep<T>(kept: Map<string, T>, name: string, read: () => T, note: (mistake: string) => void): void {
  try {
    kept.set(name, read());
  } catch (error) {
    if (!(error instanceof FlowgateError)) throw error;
    note(error.message);
  }
}

/** Each secret once: a forged delivery costs an HMAC for each. */
function together(own: AppSecrets, owners: Iterable<Tenant>): AppSecrets {
  const others: KeyObject[] = [];
  for (const { appSecrets } of owners) {
    others.push(...appSecrets.filter((secret) => ![...own, ...others].some((known) => known.equals(secret))));
  }
  return [...own, ...others];
}
