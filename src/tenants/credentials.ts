/**
 * Secrets and keys as an app hands them over, checked and parsed once. The texts are not kept.
 *
 * What is wrong is told by the place it stands in: no message holds a secret, or any part of one.
 */
import { type KeyRing, loadPrivateKeys } from '../crypto/keyring.ts';
import { FlowgateError } from '../errors.ts';
import { type AppSecrets, toAppSecrets } from '../http/signature.ts';
import { TENANT_NAME, type Tenant } from './tenant.ts';

/** A forged body costs an HMAC for each: more than these are a mistake, not a reset. */
const MAX_APP_SECRETS = 8;

/** What a business on this server has of its own. */
export interface TenantCredentials {
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
export interface FlowCredentials {
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
  return appSecrets && keys && read.isValid ? { name, appSecrets, keys, verifyToken } : read.refuse();
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

/** True for options that give a Flow anything of its own. */
export function hasCredentials(given: FlowCredentials): boolean {
  return 'appSecret' in given || 'keys' in given || 'passphrase' in given || 'tenant' in given;
}

class CredentialReader {
  readonly #owner: string;
  readonly #given: object;
  readonly #mistakes: string[] = [];

  /** @param owner as the messages name it. */
  constructor(owner: string, given: object) {
    this.#owner = owner;
    this.#given = given;
  }

  get isValid(): boolean {
    return this.#mistakes.length === 0;
  }

  appSecrets(): AppSecrets | undefined {
    const secrets = this.#texts('appSecret')?.map((secret) => secret.trim());
    const [newest, ...older] = secrets ?? [];
    if (newest !== undefined && older.length < MAX_APP_SECRETS) return toAppSecrets([newest, ...older]);
    if (newest !== undefined) this.#note(`appSecret: at most ${MAX_APP_SECRETS} are held`);
    return undefined;
  }

  keys(): KeyRing | undefined {
    const texts = this.#texts('keys');
    const passphrase = this.text('passphrase');
    if (!texts) return undefined;
    if (passphrase === undefined && texts.some((text) => text.includes('ENCRYPTED'))) {
      this.#note('keys: one is encrypted: give its passphrase');
      return undefined;
    }
    try {
      return loadPrivateKeys(
        texts.map((text, i) => ({ name: `key ${i + 1}`, text })),
        passphrase,
      );
    } catch (error) {
      if (!(error instanceof FlowgateError)) throw error;
      this.#note(`keys: ${error.message}`);
      return undefined;
    }
  }

  text(field: string): string | undefined {
    const value = this.#at(field);
    if (value === undefined || (typeof value === 'string' && value !== '')) return value;
    this.#note(`${field} must be a text`);
    return undefined;
  }

  name(): string | undefined {
    const name = this.text('tenant');
    if (name !== undefined && !TENANT_NAME.test(name)) {
      this.#note('tenant takes lower-case letters, digits and hyphens, up to 64');
    }
    return name;
  }

  refuse(): never {
    throw new FlowgateError('SETTINGS_INVALID', `${this.#owner}: ${this.#mistakes.join('; ')}`);
  }

  #texts(field: string): readonly string[] | undefined {
    const value = this.#at(field);
    const texts: readonly unknown[] = Array.isArray(value) ? value : [value];
    if (texts.length > 0 && texts.every(isText)) return texts;
    const hint = value === undefined ? ': is its variable set?' : '';
    this.#note(`${field} must be a text, or a list of texts, and none may be blank${hint}`);
    return undefined;
  }

  #at(field: string): unknown {
    return (this.#given as Record<string, unknown>)[field] ?? undefined; // a database's null
  }

  #note(mistake: string): void {
    this.#mistakes.push(mistake);
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== '';
}
