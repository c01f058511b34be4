/** The few settings that commands other than `serve` read. */
import { EnvReader, listOf } from './env.ts';
import { type SettingOverrides, withOverrides } from './settings.ts';

/** Where development credentials (and later, data) are kept. */
export function dataDirFromEnv(env: NodeJS.ProcessEnv = process.env): string {
  return new EnvReader(env).string('DATA_DIR') ?? '.flowgate';
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

/** The environment for `flowgate dev`: whatever is set counts, and `make` provides the secrets that are not. */
export function developmentSettings(
  make: (directory: string) => { appSecret: string; privateKeyFile: string },
  env: NodeJS.ProcessEnv = process.env,
): { dataDir: string; env: NodeJS.ProcessEnv; usesOwnSecrets: boolean } {
  const read = new EnvReader(env);
  const dataDir = dataDirFromEnv(env);
  const hasSecret = (read.string('APP_SECRET') ?? read.string('APP_SECRET_FILE')) !== undefined;
  const hasKey = (read.string('PRIVATE_KEY') ?? read.string('PRIVATE_KEY_FILE')) !== undefined;
  const usesOwnSecrets = !hasSecret || !hasKey;
  const own = usesOwnSecrets ? make(dataDir) : undefined;
  const overrides: SettingOverrides = {
    LOG_ERROR_MESSAGES: read.string('LOG_ERROR_MESSAGES') ?? 'true',
    ...(own && !hasSecret && { APP_SECRET: own.appSecret }),
    ...(own && !hasKey && { PRIVATE_KEY_FILE: own.privateKeyFile }),
  };
  return { dataDir, env: withOverrides(overrides, env), usesOwnSecrets };
}
