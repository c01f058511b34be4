/** The request that the load consists of, and how its answer is checked. */
import type { Credentials } from './credentials.ts';
import { type Load, type ReadyRequest, RequestStock, sealedRequests } from './request-stock.ts';

export const BOOKING_PATH = '/flows/booking';
const SCREEN = 'APPOINTMENT';

/** A user of the booking example picks a location: every dropdown of the screen is in the answer. */
export const BOOKING_PAYLOAD = {
  version: '4.0',
  action: 'data_exchange',
  screen: SCREEN,
  data: { step: 'pick', department: 'eyes', location: 'north' },
  flow_token: 'bench',
};

export function createBookingStock(credentials: Credentials): RequestStock & Load {
  const stock = new RequestStock(sealedRequests(credentials, BOOKING_PATH, BOOKING_PAYLOAD));
  return Object.assign(stock, { mistakeIn });
}

/** @returns what is wrong with an answer, or undefined: its status, and on every 20th request what it decrypts to. */
export function mistakeIn(status: number, body: () => string, { open }: ReadyRequest): string | undefined {
  if (status !== 200) return `the server answered ${status}`;
  if (!open) return undefined;
  const screen = open(body())?.screen;
  return screen === SCREEN ? undefined : `an answer decrypted to ${screen ?? 'nothing'}, not to screen ${SCREEN}`;
}
