/**
 * A business whose requests come in here: with secrets and keys of its own, or the one of the settings.
 *
 * Whatever answers a request is handed its tenant, and uses these credentials and no others.
 */
import type { KeyRing } from '../crypto/keyring.ts';
import type { HttpHandler, HttpReply, HttpRequest } from '../http/server.ts';
import type { AppSecrets } from '../http/signature.ts';

export interface Tenant {
  /** For handlers, metrics and logs; undefined for the settings' own business. */
  readonly name: string | undefined;
  readonly appSecrets: AppSecrets;
  /** Undefined: the settings' keys, which the decrypt pool holds. */
  readonly keys: KeyRing | undefined;
  /** What the handshake of its webhook must bring; undefined: none will do. */
  readonly verifyToken: string | undefined;
}

/** What a tenant may be called in a path. */
export const TENANT_NAME = /^[a-z0-9-]{1,64}$/;

/** Throws or rejects with `TENANT_UNKNOWN` or `TENANT_UNAVAILABLE`. At once, where its credentials are held. */
export type FindTenant = () => Tenant | Promise<Tenant>;

/** Answers for the tenant that `find` finds; without it, for whom it was made. */
export type TenantHandler = (request: HttpRequest, find?: FindTenant) => Promise<HttpReply> | HttpReply;

/** Serves the tenants of a directory with one handler. @returns the handler for the name in the path. */
export function forTenants(
  handler: TenantHandler,
  directory: { find(name: string): Tenant | Promise<Tenant> },
): (name: string) => HttpHandler {
  return (name) => (request) => handler(request, () => directory.find(name));
}

/**
 * The body of a request, and whose it is. A body has to be asked for before anything is waited for, so it comes in
 * while the tenant is looked up; whichever fails first is what the request fails with.
 */
export async function receive(request: HttpRequest, maxBytes: number, find: FindTenant): Promise<Received> {
  const found = find();
  if (!(found instanceof Promise)) return { tenant: found, bytes: await request.body(maxBytes) };
  const [tenant, bytes] = await Promise.all([found, request.body(maxBytes)]);
  return { tenant, bytes };
}

export interface Received {
  readonly tenant: Tenant;
  readonly bytes: Buffer;
}
