/** Secrets, keys and tokens as an app hands them over, checked and parsed once. */
import { CredentialReader } from './credential-reader.ts';
import type { Sender } from './sender.ts';
import type { Tenant } from './tenant.ts';

/** What a business sends with, and from. */
interface SendingCredentials {
  /** Its access token; without one the settings' `GRAPH_TOKEN` sends. */
  readonly graphToken?: string | undefined;
  /** The id of the number that `c.graph` sends from where an event names none. Never that of the settings. */
  readonly phoneNumberId?: string | undefined;
}

/** What a business on this server has of its own. */
export interface TenantCredentials extends SendingCredentials {
  /** The App Secret of its Meta app; several, newest first, while one is being reset. At most 8. */
  readonly appSecret: string | readonly string[];
  /** Its private key, a PEM; several, newest first, while one is being rotated. At most 16. */
  readonly keys: string | readonly string[];
  /** Of those keys that are encrypted. */
  readonly passphrase?: string | undefined;
  /** What Meta's handshake must bring at `/webhook/<tenant>`; without one it is refused. */
  readonly verifyToken?: string | undefined;
}

/** Credentials of a Flow alone: what is not given is the settings'. */
export interface FlowCredentials extends SendingCredentials {
  readonly appSecret?: string | readonly string[] | undefined;
  readonly keys?: string | readonly string[] | undefined;
  readonly passphrase?: string | undefined;
  /** What metrics, logs and `c.tenant` call the business: lower-case letters, digits and hyphens, 1 to 64. */
  readonly tenant?: string | undefined;
}

/** @throws FlowgateError `SETTINGS_INVALID` with every mistake. */
export function toTenant(name: string, given: TenantCredentials): Tenant {
  const read = new CredentialReader(`tenant ${name}`, given);
  const [appSecrets, keys] = [read.appSecrets(), read.keys()];
  const verifyToken = read.text('verifyToken');
  const sender = read.sender();
  return appSecrets && keys && read.isValid ? { name, appSecrets, keys, verifyToken, sender } : read.refuse();
}

/**
 * Whose a Flow is. An option that is there and undefined is a mistake, most likely a variable that is not set: the
 * settings' secret in its place would open the Flow to another business.
 *
 * @param owner the settings' own.
 * @throws FlowgateError `SETTINGS_INVALID` with every mistake.
 */
export function flowTenant(flow: string, given: FlowCredentials, owner: Tenant): Tenant {
  const read = new CredentialReader(`flow ${flow}`, given);
  const appSecrets = 'appSecret' in given ? read.appSecrets() : owner.appSecrets;
  const keys = 'keys' in given ? read.keys() : owner.keys;
  const name = read.name();
  return appSecrets && read.isValid ? { ...owner, name, appSecrets, keys } : read.refuse();
}

/**
 * As whom a Flow's own business sends. A token that is there and undefined is a mistake here as well: the settings' would
 * send in its place.
 *
 * @throws FlowgateError `SETTINGS_INVALID` with every mistake.
 */
export function flowSender(flow: string, given: FlowCredentials): Sender {
  const read = new CredentialReader(`flow ${flow}`, given);
  const sender = read.sender({ needsToken: 'graphToken' in given });
  return read.isValid ? sender : read.refuse();
}

/** True for options that give a Flow anything of its own. */
export function hasCredentials(given: FlowCredentials): boolean {
  return 'keys' in given || 'passphrase' in given || isOfAnother(given);
}

/** True for those of a business that is not the settings': keys alone are one more pair of the settings' own. */
export function isOfAnother(given: FlowCredentials): boolean {
  return 'appSecret' in given || 'tenant' in given || 'graphToken' in given || 'phoneNumberId' in given;
}
