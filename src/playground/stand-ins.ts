/** What stands in for Meta's servers beside the service: the CDN, and the Graph API where no token for the real one is set. */
import { randomBytes as nodeRandomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { type Clock, systemClock } from '../clock.ts';
import type { Settings } from '../config/settings.ts';
import { DEFAULT_MEDIA_HOSTS } from '../media/hosts.ts';
import { Cdn } from './cdn.ts';
import type { KnownFlows } from './graph/flow-button.ts';
import { GraphStandIn } from './graph/stand-in.ts';

export interface StandIns {
  readonly cdn: Cdn;
  /** Undefined where the real one is called. */
  readonly graph: GraphStandIn | undefined;
}

export interface StandInParts {
  readonly settings: Settings;
  readonly clock?: Clock;
  readonly log?: Logger;
  /** Of `node:crypto` by default. */
  readonly randomBytes?: (size: number) => Buffer;
}

export async function startStandIns(
  flows: KnownFlows,
  { settings, clock = systemClock, log, randomBytes = nodeRandomBytes }: StandInParts,
): Promise<StandIns> {
  const cdn = await Cdn.start();
  if (settings.graph.token !== undefined) return { cdn, graph: undefined };
  const openPicked = (mediaId: string) => cdn.open(mediaId);
  try {
    return { cdn, graph: await GraphStandIn.start({ flows, openPicked, randomBytes, clock, log }) };
  } catch (error) {
    await cdn.close();
    throw error;
  }
}

export async function closeStandIns({ cdn, graph }: StandIns): Promise<void> {
  await Promise.all([cdn.close(), graph?.close()]);
}

/** The service sends to the one, and may download from both. */
export function withStandIns(settings: Settings, { cdn, graph }: StandIns): Settings {
  const { mediaHosts = DEFAULT_MEDIA_HOSTS } = settings.config;
  const origins = graph ? [cdn.origin, graph.settings.baseUrl] : [cdn.origin];
  const config = { ...settings.config, mediaHosts: [...mediaHosts, ...origins] };
  return { ...settings, config, graph: graph?.settings ?? settings.graph };
}
