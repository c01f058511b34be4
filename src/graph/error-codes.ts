/**
 * What the codes of the Graph API mean, in our own words, and whether the same call may succeed later.
 *
 * Sources: Meta, "Handling Errors" of the Graph API, "Error codes" of the Cloud API, "Flow Management API Error Codes".
 */

/** `soon`: in seconds. `later`: in minutes or an hour, and asking meanwhile may make it longer. */
export type Again = 'soon' | 'later';

interface CodeMeaning {
  readonly hint?: string;
  /** Absent for what the same call will never get past. */
  readonly again?: Again;
}

/** More messages to one user than the pair may have: Meta asks for pauses of 1 s, 4 s, 16 s. */
export const PAIR_RATE_CODE = 131056;

const NO_PERMISSION = 'the access token has no permission for this';
const BLOCKED_ACCOUNT = 'Meta has restricted or blocked the business account';

/** Whatever the status they come with: often 400. */
const MEANINGS: Readonly<Record<number, CodeMeaning>> = {
  0: { hint: 'the access token is not valid or has expired' },
  1: { again: 'soon', hint: 'unknown to Meta, perhaps downtime' },
  2: { again: 'soon', hint: 'Meta is down or overloaded' },
  3: { hint: 'the app lacks the capability for this' },
  4: { again: 'later', hint: 'the app makes too many calls' },
  10: { hint: NO_PERMISSION },
  17: { again: 'later', hint: 'too many calls with this access token' },
  190: { hint: 'the access token is not valid or has expired' },
  200: { hint: NO_PERMISSION },
  341: { again: 'later', hint: 'too many calls, or downtime' },
  368: { hint: BLOCKED_ACCOUNT },
  80007: { again: 'later', hint: 'the business account makes too many calls' },
  80008: { again: 'later', hint: 'the business account makes too many calls' },
  130429: { again: 'soon', hint: 'the number sends more messages a second than it may' },
  131000: { again: 'soon', hint: 'unknown to Meta' },
  131005: { hint: NO_PERMISSION },
  131008: { hint: 'Meta misses a parameter' },
  131009: { hint: 'Meta does not take the value of a parameter' },
  131016: { again: 'soon', hint: 'Meta is down or overloaded' },
  131021: { hint: 'the recipient is the number that sends' },
  131026: { hint: 'the message cannot be delivered to this user' },
  131030: { hint: 'a test number only sends to the recipients listed with it' },
  131031: { hint: BLOCKED_ACCOUNT },
  131042: { hint: 'something is wrong with the payment method of the business account' },
  131045: { hint: 'the number is not registered as it must be' },
  131047: { hint: 'over 24 hours since the user wrote: only a template may be sent' },
  131048: { hint: 'Meta restricts what the number sends, for users blocked it or reported it as spam' },
  131051: { hint: 'Meta does not know this type of message' },
  131052: { hint: 'Meta could not download what the user sent' },
  131053: { hint: 'Meta could not take the media' },
  [PAIR_RATE_CODE]: { again: 'soon', hint: 'too many messages to this user: wait some seconds' },
  131057: { again: 'later', hint: 'the business account is in maintenance' },
  131062: { hint: 'this cannot be sent to a business-scoped user id' },
  132000: { hint: 'the template takes another number of parameters' },
  132001: { hint: 'there is no approved template of this name in this language' },
  132012: { hint: 'a parameter has another format than the template says' },
  132015: { hint: 'the template is paused for its quality' },
  132016: { hint: 'the template is disabled for its quality' },
  132068: { hint: 'the Flow is blocked' },
  132069: { again: 'later', hint: 'the Flow is throttled: 10 messages an hour' },
  133004: { again: 'soon', hint: 'the server of the number is not available' },
  133010: { hint: 'the number is not registered for the Cloud API' },
  139000: { hint: 'Meta does not let this business account create or publish Flows' },
  139001: { hint: 'the Flow cannot be updated' },
  139002: { hint: 'the Flow cannot be published: read its validationErrors and its health' },
  139003: { hint: 'the Flow cannot be deprecated: it is not published, or deprecated already' },
  139004: { hint: 'the Flow cannot be deleted: it has been published' },
  139005: { hint: 'Meta refuses this change to the Flow' },
  139006: { hint: 'Meta refuses this change to the Flow' },
};

/** With code 100, of many meanings: what the call is about does not exist, or is not to be seen with this token. */
const UNKNOWN_OBJECT_SUBCODE = 33;

/** @returns undefined for a code that the same call will never get past, and for one that is not in the table. */
export function againOf(graphCode: number | undefined): Again | undefined {
  return graphCode === undefined ? undefined : MEANINGS[graphCode]?.again;
}

/** @param about what the call names by an id: "number". */
export function hintOf(
  graphCode: number | undefined,
  subcode: number | undefined,
  about: string | undefined,
): string | undefined {
  if (graphCode === undefined) return undefined;
  if (graphCode === 100 && subcode === UNKNOWN_OBJECT_SUBCODE) {
    return `there is no ${about ?? 'object'} of this id, or the access token may not see it`;
  }
  return MEANINGS[graphCode]?.hint;
}
