/**
 * A Flow as one business uses it: the name under which its tokens, sessions and kept answers stand, so that the tenants
 * of one server share none of them. A Flow's name alone is the settings' own business.
 */

const TENANT_MARK = '@';
const TOKEN = /^([^:@]+)(?:@[^:@]+)?:/;

/** `booking`, or `booking@acme` for a tenant. */
export function scopeOf(flow: string, tenant: string | undefined): string {
  return tenant === undefined ? flow : flow + TENANT_MARK + tenant;
}

/** The Flow whose name a token begins with, before a colon and the name of a tenant, if it reads so. */
export function flowOfToken(token: string | undefined): string | undefined {
  return TOKEN.exec(token ?? '')?.[1];
}
