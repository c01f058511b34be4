/** What stands for Meta's side of the secrets: signs what was sealed, and hands out public keys. */
import { createPublicKey, generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import type { Secrets, Settings } from '../config/settings.ts';
import type { KeyRing } from '../crypto/keyring.ts';
import type { FlowDefinition } from '../flows/flow-definition.ts';
import { flowOfToken } from '../flows/flow-scope.ts';
import { flowTenant, hasCredentials } from '../tenants/credentials.ts';
import type { Tenant } from '../tenants/tenant.ts';
import { sign, signToken } from '../testing/wire.ts';
import { ApiError } from './api-error.ts';

export class Credentials {
  readonly #settings: Settings;
  readonly #flows: ReadonlyMap<string, FlowDefinition>;
  #retired: Promise<string> | undefined;

  constructor(settings: Settings, flows: ReadonlyMap<string, FlowDefinition>) {
    this.#settings = settings;
    this.#flows = flows;
  }

  /** @param flow whose app signs; without one, the settings'. @returns the value of `X-Hub-Signature-256`. */
  sign(body: string, flow?: FlowDefinition): Promise<string> {
    return sign(body, secretOf(this.#ownerOf(flow)));
  }

  /** @returns a `flow_token_signature`. */
  signToken(token: string): Promise<string> {
    const flow = this.#flows.get(flowOfToken(token) ?? '');
    return signToken(token, secretOf(this.#ownerOf(flow)));
  }

  /** SPKI PEM of the newest key. */
  publicKey(flow?: FlowDefinition): string {
    const { keys } = this.#ownerOf(flow);
    const [{ privateKey }] = keys ?? this.#settingsKeys();
    return createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }) as string;
  }

  /** Of a key that nobody has the private half of. Made once: it takes up to half a second. */
  retiredPublicKey(): Promise<string> {
    this.#retired ??= promisify(generateKeyPair)('rsa', { modulusLength: 2048 }).then(
      ({ publicKey }) => publicKey.export({ type: 'spki', format: 'pem' }) as string,
    );
    return this.#retired;
  }

  /** As the files hold them now: the service loads them anew as well. */
  #settingsKeys(): KeyRing {
    const { keys, keySource } = this.#secrets();
    try {
      return keySource.load();
    } catch {
      return keys; // what cannot be used does not replace what is held
    }
  }

  #ownerOf(flow: FlowDefinition | undefined): Tenant {
    const { appSecrets } = this.#secrets();
    const owner: Tenant = { name: undefined, appSecrets, keys: undefined, verifyToken: undefined };
    return flow && hasCredentials(flow.credentials) ? flowTenant(flow.name, flow.credentials, owner) : owner;
  }

  #secrets(): Secrets {
    if (this.#settings.secrets) return this.#settings.secrets;
    throw new ApiError(503, 'this process is a worker, and answers no requests: set ROLE to all');
  }
}

function secretOf({ appSecrets: [newest] }: Tenant): string {
  return newest.export().toString('utf8');
}
