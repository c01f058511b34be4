/** The Graph API clients of a service: one for each business number, made when first asked for. */
import type { Clock } from '../clock.ts';
import type { GraphSettings } from '../config/settings.ts';
import { createGraphClient, type GraphClient } from './client.ts';

/** The Graph API as one business number; without an id, as the number of the settings. */
export type GraphFor = (phoneNumberId?: string) => GraphClient;

/** @returns a function that throws a TypeError telling which setting is missing. */
export function createGraph(settings: GraphSettings | undefined, clock: Clock): GraphFor {
  const clients = new Map<string, GraphClient>();
  return (phoneNumberId = settings?.phoneNumberId) => {
    if (!settings) throw new TypeError('GRAPH_TOKEN is not set: without it nothing can be sent');
    if (phoneNumberId === undefined) throw new TypeError('PHONE_NUMBER_ID is not set: there is no number to send from');
    const known = clients.get(phoneNumberId);
    if (known) return known;
    const client = createGraphClient({ ...settings, phoneNumberId, clock });
    clients.set(phoneNumberId, client);
    return client;
  };
}
