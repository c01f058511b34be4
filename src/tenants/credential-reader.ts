/** Reads credentials field by field, and keeps what is wrong with them for one message. Of their texts only a token is kept. */
import { type KeyRing, loadPrivateKeys } from '../crypto/keyring.ts';
import { FlowgateError } from '../errors.ts';
import { GRAPH_TOKEN, PHONE_NUMBER_ID } from '../graph/endpoint.ts';
import { type AppSecrets, toAppSecrets } from '../http/signature.ts';
import { Sender } from './sender.ts';
import { TENANT_NAME } from './tenant.ts';

/** A forged body costs an HMAC for each: more than these are a mistake, not a reset. */
const MAX_APP_SECRETS = 8;

/** What is wrong is told by the place it stands in: no message holds a secret, or any part of one. */
export class CredentialReader {
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

  sender({ needsToken = false } = {}): Sender {
    if (needsToken && this.#at('graphToken') === undefined)
      this.#note('graphToken must be a text: is its variable set?');
    const graphToken = this.#matching('graphToken', GRAPH_TOKEN, 'must be a text of printable ASCII without spaces');
    const phoneNumberId = this.#matching(
      'phoneNumberId',
      PHONE_NUMBER_ID,
      'must be a text of digits, as Meta tells it',
    );
    return new Sender({ graphToken, phoneNumberId });
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

  #matching(field: string, pattern: RegExp, rule: string): string | undefined {
    const value = this.#at(field);
    if (value === undefined) return undefined;
    const text = typeof value === 'string' ? value.trim() : '';
    if (pattern.test(text)) return text;
    this.#note(`${field} ${rule}`);
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
