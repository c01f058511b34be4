/**
 * As whom a business sends: with which access token, and from which number.
 *
 * Whom that is for goes along with what is done later: an event names the tenant whose webhook it came to, a job is kept
 * with it.
 */

/** What is not given is the settings' token, or a number that an event names. */
export interface SenderOptions {
  readonly graphToken?: string | undefined;
  readonly phoneNumberId?: string | undefined;
}

/** The token is no property of its own: neither JSON nor an inspection of it shows one. */
export class Sender {
  readonly phoneNumberId: string | undefined;
  readonly #graphToken: string | undefined;

  constructor({ graphToken, phoneNumberId }: SenderOptions = {}) {
    this.#graphToken = graphToken;
    this.phoneNumberId = phoneNumberId;
  }

  get graphToken(): string | undefined {
    return this.#graphToken;
  }
}

/** Another business than the settings' own. */
export interface Business {
  /** One that the provider tells, or the one that a Flow belongs to. */
  readonly kind: 'tenant' | 'flow';
  /** Of the tenant, or of the Flow. */
  readonly name: string;
  /** The number that was written to, where an event named one. */
  readonly phoneNumberId?: string | undefined;
}

/** Throws or rejects with `TENANT_UNKNOWN` or `TENANT_UNAVAILABLE`. */
export type FindSender = (business: Business) => Sender | Promise<Sender>;

/**
 * Whose a request or an event is.
 *
 * @param tenant whose own path it came to: it is theirs then, whatever Flow it names.
 * @param flow the one it is for, if it is for one.
 * @returns undefined for the settings' own business.
 */
export function businessOf(
  tenant: string | undefined,
  flow: { readonly name: string; readonly isOfAnother: boolean } | undefined,
  phoneNumberId?: string,
): Business | undefined {
  const number = phoneNumberId !== undefined && { phoneNumberId };
  if (tenant !== undefined) return { kind: 'tenant', name: tenant, ...number };
  return flow?.isOfAnother ? { kind: 'flow', name: flow.name, ...number } : undefined;
}
