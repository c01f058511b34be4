/** The Graph API as another business than the settings': with its token and from its number, or not at all. */
import type { GraphClient } from '../graph/client.ts';
import type { GraphFor } from '../graph/graph.ts';
import { unsent } from '../graph/graph-error.ts';
import { lazyClient } from '../graph/lazy-client.ts';
import type { Business, FindSender } from './sender.ts';

export interface BusinessGraphDeps {
  readonly graphFor: GraphFor;
  readonly findSender: FindSender;
}

/**
 * Each call finds the sender anew, which costs nothing while it is held, and so has the token of now. It rejects with
 * `TENANT_UNAVAILABLE` or `TENANT_UNKNOWN` before anything is sent, or with a TypeError where there is no number to send
 * from: that of the settings is never taken.
 *
 * @param handler who sends: once its signal has fired, a call fails as `unsent`, and nobody has to wonder.
 */
export function businessGraph(
  business: Business,
  { graphFor, findSender }: BusinessGraphDeps,
  handler: { readonly signal: AbortSignal },
): GraphClient {
  return lazyClient(async () => {
    const { graphToken: token, phoneNumberId } = await findSender(business);
    if (handler.signal.aborted) throw unsent('its caller gave up before it was known as whom to send it');
    const number = business.phoneNumberId ?? phoneNumberId;
    if (number === undefined) throw new TypeError(noNumber(business));
    const owner = `${business.kind} ${business.name}`;
    return graphFor(number, token === undefined ? undefined : { owner, token });
  });
}

function noNumber({ kind, name }: Business): string {
  return `there is no number to send from: no event names one here, and ${kind} ${name} has no phoneNumberId of its own`;
}
