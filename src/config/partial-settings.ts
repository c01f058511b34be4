/** The settings as far as they can be read: for whoever has to tell what is wrong with the rest. */
import type { KeyRing } from '../crypto/keyring.ts';
import { FlowgateError } from '../errors.ts';
import type { HttpServerChoice } from '../http/create-server.ts';
import { keysFromEnv, namesKeys } from './command-settings.ts';
import { EnvReader, listOf } from './env.ts';
import {
  type Config,
  type GraphSettings,
  loadSettings,
  readDataDir,
  readGraph,
  readRedisUrl,
  type TlsFiles,
} from './settings.ts';

export interface PartialSettings {
  /** Undefined when a server would not start with these settings. */
  readonly config: Config | undefined;
  /** Why it would not, as at its start. */
  readonly problem: string | undefined;
  /** Newest first; secret. */
  readonly appSecrets: readonly string[];
  /** Secret. */
  readonly verifyToken: string | undefined;
  /** Undefined when there are none, or when one of them cannot be used. */
  readonly keys: KeyRing | undefined;
  /** Why keys that are named cannot be used. */
  readonly keyProblem: string | undefined;
  readonly httpServer: HttpServerChoice;
  readonly tls: TlsFiles | undefined;
  /** Its token is secret. */
  readonly graph: GraphSettings;
  /** Secret, as far as there is a password in it. */
  readonly redisUrl: string | undefined;
  readonly dataDir: string;
}

/** Never throws for a wrong setting. */
export function readPartialSettings(env: NodeJS.ProcessEnv = process.env): PartialSettings {
  const read = new EnvReader(env); // its mistakes are told by `loadSettings`
  const [config, problem] = orMistakes(() => loadSettings(env).config);
  const [keys, keyProblem] = namesKeys(env) ? orMistakes(() => keysFromEnv(env)) : [];
  const certFile = read.string('TLS_CERT_FILE');
  const keyFile = read.string('TLS_KEY_FILE');
  return {
    config,
    problem,
    keys,
    keyProblem,
    appSecrets: listOf(read.secret('APP_SECRET')),
    verifyToken: read.secret('VERIFY_TOKEN'),
    httpServer: read.oneOf('HTTP_SERVER', ['auto', 'uws', 'node'], 'auto'),
    tls: certFile !== undefined && keyFile !== undefined ? { certFile, keyFile } : undefined,
    graph: readGraph(read),
    redisUrl: readRedisUrl(read),
    dataDir: readDataDir(read),
  };
}

function orMistakes<T>(load: () => T): [T, undefined] | [undefined, string] {
  try {
    return [load(), undefined];
  } catch (error) {
    if (error instanceof FlowgateError) return [undefined, error.message];
    throw error;
  }
}
