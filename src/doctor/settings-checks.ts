/** The settings, and the private keys they name. */
import { formatDuration } from '../cli/format-inbox.ts';
import type { HeldKey } from '../crypto/keyring.ts';

import { type Check, type DoctorContext, type Finding, failed, ok, skipped } from './check.ts';

const MODULUS_BITS = 2048;
/** What Meta makes. */
const APP_SECRET = /^[0-9a-f]{32}$/;
/** Every access token of Meta begins so. */
const ACCESS_TOKEN = /^EAA/;

export const settingsCheck: Check = {
  name: 'settings',
  run({ settings: { config, problem } }) {
    if (!config) return failed(problem ?? '');
    const { role, port, workers, tls } = config;
    const threads = `${workers} decrypt ${workers === 1 ? 'thread' : 'threads'}`;
    return ok(`complete: role ${role}, port ${port}${tls ? ' with TLS' : ''}, ${threads}`);
  },
};

/** One for each key, or one that tells why there is none. */
export function keyChecks({ settings: { keys, keyProblem } }: Pick<DoctorContext, 'settings'>): Check[] {
  if (keys) return keys.map((key) => ({ name: 'private key', run: ({ clock }) => examineKey(key, clock.epochMs()) }));
  const finding = keyProblem === undefined ? skipped('set PRIVATE_KEY_FILE or KEYS_DIR') : failed(keyProblem);
  return [{ name: 'private key', run: () => finding }];
}

function examineKey({ privateKey, fingerprint, name, modifiedAtMs }: HeldKey, nowMs: number): Finding {
  const bits = privateKey.asymmetricKeyDetails?.modulusLength;
  if (bits !== MODULUS_BITS) {
    return failed(`${name} has ${bits} bits, and Meta takes ${MODULUS_BITS}: make one with: flowgate keys generate`);
  }
  const age = modifiedAtMs === undefined ? '' : `, ${formatDuration(Math.max(0, nowMs - modifiedAtMs))} old`;
  return ok(`${fingerprint}, RSA ${bits}${age}, ${name}`);
}

export const appSecretCheck: Check = {
  name: 'app secret',
  run({ settings: { appSecrets, verifyToken } }) {
    if (appSecrets.length === 0) return skipped('set APP_SECRET');
    const where = "take the App Secret from the Meta app's Settings > Basic";
    if (appSecrets.some((secret) => ACCESS_TOKEN.test(secret))) {
      return failed(`APP_SECRET holds an access token: ${where}`);
    }
    if (verifyToken !== undefined && appSecrets.includes(verifyToken)) {
      return failed(`APP_SECRET and VERIFY_TOKEN are the same: ${where}`);
    }
    if (!appSecrets.every((secret) => APP_SECRET.test(secret))) {
      return failed(`APP_SECRET is not 32 hex digits, as those of Meta are: ${where}`);
    }
    const count = appSecrets.length === 1 ? 'it looks' : `${appSecrets.length} are set, and they look`;
    return ok(`${count} like one of Meta's: that it is the right one, only Meta's own ping shows`);
  },
};
