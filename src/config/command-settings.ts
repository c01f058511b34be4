/** The few settings that commands other than `serve` read. */
import type { KeyRing } from '../crypto/keyring.ts';
import { EnvReader, listOf } from './env.ts';
import { KEY_SETTINGS, readKeys } from './key-settings.ts';
import {
  type GraphSettings,
  readAdminAddress,
  readDataDir,
  readGraph,
  readRedisUrl,
  type SettingOverrides,
  withOverrides,
} from './settings.ts';

/** Where development credentials (and later, data) are kept. */
export function dataDirFromEnv(env: NodeJS.ProcessEnv = process.env): string {
  return readDataDir(new EnvReader(env));
}

/** The newest app secret, if one is set. @throws FlowgateError `SETTINGS_INVALID` for an unreadable APP_SECRET_FILE. */
export function appSecretFromEnv(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const read = new EnvReader(env);
  const [newest] = listOf(read.secret('APP_SECRET'));
  read.throwIfInvalid();
  return newest;
}

/** @throws FlowgateError `SETTINGS_INVALID` for an unreadable PASSPHRASE_FILE. */
export function passphraseFromEnv(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const read = new EnvReader(env);
  const passphrase = read.secret('PASSPHRASE');
  read.throwIfInvalid();
  return passphrase;
}

/** The private keys that a server with this environment would hold. @throws FlowgateError `SETTINGS_INVALID`. */
export function keysFromEnv(env: NodeJS.ProcessEnv = process.env): KeyRing {
  const read = new EnvReader(env);
  const loaded = readKeys(read);
  read.throwIfInvalid();
  return loaded?.keys ?? read.refuse();
}

/** Whether the environment names private keys. */
export function namesKeys(env: NodeJS.ProcessEnv = process.env): boolean {
  const read = new EnvReader(env);
  return KEY_SETTINGS.some((name) => read.string(name) !== undefined);
}

export function keysDirFromEnv(env: NodeJS.ProcessEnv = process.env): string | undefined {
  return new EnvReader(env).string('KEYS_DIR');
}

/** @throws FlowgateError `SETTINGS_INVALID`. */
export function redisUrlFromEnv(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const read = new EnvReader(env);
  const redisUrl = readRedisUrl(read);
  read.throwIfInvalid();
  return redisUrl;
}

/** The Graph API as one business number. @throws FlowgateError `SETTINGS_INVALID` when its token or number is not set. */
export function graphFromEnv(
  env: NodeJS.ProcessEnv = process.env,
): GraphSettings & { token: string; phoneNumberId: string } {
  const read = new EnvReader(env);
  const graph = readGraph(read);
  const { token, phoneNumberId } = graph;
  if (token === undefined && read.string('GRAPH_TOKEN_FILE') === undefined) {
    read.mistake("GRAPH_TOKEN is required: a system user's token with whatsapp_business_messaging, from Meta");
  }
  if (phoneNumberId === undefined) {
    read.mistake('PHONE_NUMBER_ID is required: the id of the business number (not the number itself), from Meta');
  }
  read.throwIfInvalid();
  return token !== undefined && phoneNumberId !== undefined ? { ...graph, token, phoneNumberId } : read.refuse();
}

/** Where the inbox is: Redis, or the embedded one under the data directory. @throws FlowgateError `SETTINGS_INVALID`. */
export function inboxFromEnv(env: NodeJS.ProcessEnv = process.env): { redisUrl: string | undefined; dataDir: string } {
  const read = new EnvReader(env);
  const redisUrl = readRedisUrl(read);
  read.throwIfInvalid();
  return { redisUrl, dataDir: readDataDir(read) };
}

/** Where metrics and the playground would be served. @throws FlowgateError `SETTINGS_INVALID`. */
export function adminAddressFromEnv(env: NodeJS.ProcessEnv = process.env): { adminHost: string; adminPort: number } {
  const read = new EnvReader(env);
  const address = readAdminAddress(read);
  read.throwIfInvalid();
  return address;
}

/** The environment for `flowgate dev`: whatever is set counts, and `make` provides the secrets that are not. */
export function developmentSettings(
  make: (directory: string) => { appSecret: string; verifyToken: string; privateKeyFile: string },
  env: NodeJS.ProcessEnv = process.env,
): { dataDir: string; env: NodeJS.ProcessEnv; usesOwnSecrets: boolean } {
  const read = new EnvReader(env);
  const dataDir = dataDirFromEnv(env);
  const hasSecret = (read.string('APP_SECRET') ?? read.string('APP_SECRET_FILE')) !== undefined;
  const hasKey = namesKeys(env);
  const hasVerifyToken = (read.string('VERIFY_TOKEN') ?? read.string('VERIFY_TOKEN_FILE')) !== undefined;
  const usesOwnSecrets = !hasSecret || !hasKey || !hasVerifyToken;
  const own = usesOwnSecrets ? make(dataDir) : undefined;
  const overrides: SettingOverrides = {
    LOG_ERROR_MESSAGES: read.string('LOG_ERROR_MESSAGES') ?? 'true',
    REPLY_GUARD: read.string('REPLY_GUARD') ?? 'error',
    ...(own && !hasSecret && { APP_SECRET: own.appSecret }),
    ...(own && !hasVerifyToken && { VERIFY_TOKEN: own.verifyToken }),
    ...(own && !hasKey && { PRIVATE_KEY_FILE: own.privateKeyFile }),
  };
  return { dataDir, env: withOverrides(overrides, env), usesOwnSecrets };
}
