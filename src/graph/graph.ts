/** The Graph API clients of a service: one for each business number, made when first asked for. */
import type { Clock } from '../clock.ts';
import type { GraphSettings } from '../config/settings.ts';
import { createGraphClient, type GraphClient } from './client.ts';
import type { RetryOptions } from './retry.ts';
import type { PaceOptions } from './turns.ts';

/** The Graph API as one business number; without an id, as the number of the settings. */
export type GraphFor = (phoneNumberId?: string) => GraphClient;

/** Which number a webhook names is Meta's word: of more than these, those used last are kept. */
const MAX_NUMBERS = 1_000;

/**
 * All who send from one number share its client, and so its pace.
 * @returns a function that throws a TypeError telling which setting is missing.
 */
export function createGraph(
  settings: GraphSettings | undefined,
  clock: Clock,
  limits: RetryOptions & PaceOptions = {},
): GraphFor {
  const clients = new Map<string, GraphClient>();
  return (phoneNumberId = settings?.phoneNumberId) => {
    if (!settings) throw new TypeError('GRAPH_TOKEN is not set: without it nothing can be sent');
    if (phoneNumberId === undefined) throw new TypeError('PHONE_NUMBER_ID is not set: there is no number to send from');
    const client = clients.get(phoneNumberId) ?? createGraphClient({ ...limits, ...settings, phoneNumberId, clock });
    clients.delete(phoneNumberId); // so that it comes last
    clients.set(phoneNumberId, client);
    const [longestUnused] = clients.keys();
    if (clients.size > MAX_NUMBERS && longestUnused !== undefined) clients.delete(longestUnused);
    return client;
  };
}
