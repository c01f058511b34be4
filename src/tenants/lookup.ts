/** Asks an app for the credentials of one tenant, under a time limit, and makes of them what serves. */
import { createHmac, randomBytes } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { FlowgateError, stackOf } from '../errors.ts';
import { type TenantCredentials, toTenant } from './credentials.ts';
import type { Tenant } from './tenant.ts';

/** Of the time a user waits. A provider that answers is a cache or a database nearby. */
export const LOOKUP_TIMEOUT_MS = 3_000;

/**
 * Tells the credentials of a tenant; undefined for one that does not exist. It is asked once for a crowd of requests, and
 * again after some minutes.
 *
 * @param tenant from the path, not yet trusted: lower-case letters, digits and hyphens, 1 to 64.
 * @param c.signal aborts after 3 s, or when the server closes.
 */
export type TenantProvider = (
  tenant: string,
  c: { readonly signal: AbortSignal },
) => TenantCredentials | undefined | Promise<TenantCredentials | undefined>;

/** `undefined`: there is no such tenant. */
export type Found = { readonly tenant: Tenant; readonly digest: string } | undefined;

/** Why a lookup came to nothing, as the log may tell it. */
export class LookupError extends Error {
  override readonly name = 'LookupError';
  /** Where the provider threw; its message may quote a secret. */
  readonly thrownAt: string | undefined;

  constructor(message: string, thrown?: unknown) {
    super(message);
    this.thrownAt = thrown === undefined ? undefined : stackOf(thrown);
  }
}

export class TenantLookup {
  readonly #provider: TenantProvider;
  readonly #clock: Clock;
  readonly #running = new Set<AbortController>();
  readonly #digestKey = randomBytes(32);

  constructor(provider: TenantProvider, clock: Clock) {
    this.#provider = provider;
    this.#clock = clock;
  }

  /**
   * @param held what serves at present: it is found again, and nothing is parsed, when the credentials are the same.
   * Rejects with a LookupError and no other.
   */
  async find(name: string, held: Found): Promise<Found> {
    const given = await this.#ask(name);
    if (given === undefined || given === null) return undefined;
    if (typeof given !== 'object') throw new LookupError('the provider of tenants returned no object');
    try {
      const digest = this.#digest(given);
      return held?.digest === digest ? held : { tenant: toTenant(name, given), digest };
    } catch (error) {
      if (error instanceof FlowgateError) throw new LookupError(error.message);
      throw new LookupError('the provider of tenants returned what cannot be read', error);
    }
  }

  /** Ends what is under way. */
  close(): void {
    for (const controller of this.#running) controller.abort(new DOMException('the server closes', 'AbortError'));
  }

  #ask(name: string): Promise<TenantCredentials | undefined> {
    const controller = new AbortController();
    const { signal } = controller;
    this.#running.add(controller);
    const cancel = this.#clock.after(LOOKUP_TIMEOUT_MS, () => {
      controller.abort(new DOMException('the tenant was not found in time', 'TimeoutError'));
    });
    return new Promise<TenantCredentials | undefined>((resolve, reject) => {
      // An aborted lookup is over, whatever the provider still does.
      signal.addEventListener('abort', () => reject(new LookupError((signal.reason as DOMException).message)));
      const threw = (error: unknown) => reject(new LookupError('the provider of tenants threw', error));
      try {
        Promise.resolve(this.#provider(name, { signal })).then(resolve, threw);
      } catch (error) {
        threw(error);
      }
    }).finally(() => {
      cancel();
      this.#running.delete(controller);
    });
  }

  #digest({ appSecret, keys, passphrase, verifyToken, graphToken, phoneNumberId }: TenantCredentials): string {
    const text = JSON.stringify([appSecret, keys, passphrase, verifyToken, graphToken, phoneNumberId]);
    return createHmac('sha256', this.#digestKey).update(text).digest('base64');
  }
}
