/**
 * A business whose requests come in here: with secrets and keys of its own, or the one of the settings.
 *
 * Whatever answers a request is handed its tenant, and uses these credentials and no others.
 */
import type { KeyRing } from '../crypto/keyring.ts';
import type { HttpHandler, HttpReply, HttpRequest } from '../http/server.ts';
import type { AppSecrets } from '../http/signature.ts';
import type { Sender } from './sender.ts';

export interface Tenant {
  /** For handlers, metrics and logs; undefined for the settings' own business. */
  readonly name: string | undefined;
  readonly appSecrets: AppSecrets;
  /** Undefined: the settings' keys, which the decrypt pool holds. */
  readonly keys: KeyRing | undefined;
  /** What the handshake of its webhook must bring; undefined: none will do. */
  readonly verifyToken: string | undefined;
  /** Of a tenant that a provider told. */
  readonly sender?: Sender;
}

/** What a tenant may be called in a path. */
export const TENANT_NAME = /^[a-z0-9-]{1,64}$/;

/** Whose a request is, by its path. */
export interface TenantSource {
  /** Throws or rejects with `TENANT_UNKNOWN` or `TENANT_UNAVAILABLE`. At once, where its credentials are held. */
  find(): Tenant | Promise<Tenant>;
  /** The tenant that is known without asking anybody: for what tells of a request that is refused early. */
  held(): Tenant | undefined;
}

/** A path that belongs to one business. */
export function alwaysOf(tenant: Tenant): TenantSource {
  return { find: () => tenant, held: () => tenant };
}

/** Answers for the tenant that `source` finds; without it, for whom it was made. */
export type TenantHandler = (request: HttpRequest, source?: TenantSource) => Promise<HttpReply> | HttpReply;

/** Finds tenants by name. */
export interface Directory {
  find(name: string): Tenant | Promise<Tenant>;
  held(name: string): Tenant | undefined;
}

/** Serves the tenants of a directory with one handler. @returns the handler for the name in the path. */
export function forTenants(handler: TenantHandler, directory: Directory): (name: string) => HttpHandler {
  return (name) => (request) => handler(request, new NamedTenant(name, directory));
}

/** An object, as one is made for each request: cheaper than a closure for each method. */
class NamedTenant implements TenantSource {
  readonly #name: string;
  readonly #directory: Directory;

  constructor(name: string, directory: Directory) {
    this.#name = name;
    this.#directory = directory;
  }

  find(): Tenant | Promise<Tenant> {
    return this.#directory.find(this.#name);
  }

  held(): Tenant | undefined {
    return this.#directory.held(this.#name);
  }
}

/**
 * The body of a request, and whose it is. A body has to be asked for before anything is waited for, so it comes in
 * while the tenant is looked up; whichever fails first is what the request fails with.
 */
export async function receive(
  request: HttpRequest,
  maxBytes: number,
  source: Pick<TenantSource, 'find'>,
): Promise<Received> {
  const found = source.find();
  if (!(found instanceof Promise)) return { tenant: found, bytes: await request.body(maxBytes) };
  const [tenant, bytes] = await Promise.all([found, request.body(maxBytes)]);
  return { tenant, bytes };
}

export interface Received {
  readonly tenant: Tenant;
  readonly bytes: Buffer;
}
