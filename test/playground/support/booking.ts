/** The booking example, answered by a script: what its app answers, without its app. */
import bookingJson from '../../../examples/booking/booking.flow.json' with { type: 'json' };
import { datesFor, departments, locationsFor, type Picks, timesFor } from '../../../examples/booking/calendar.ts';
import type { JsonObject, JsonValue } from '../../../src/json.ts';
import type { FlowReport } from '../../../src/playground/api.ts';
import type { FakeAnswer } from './fake-server.ts';

export const bookingReport: FlowReport = { name: 'booking', json: bookingJson, problems: [], hasCompleted: true };

export function answerBooking({ action, screen, data, flow_token: token }: JsonObject): FakeAnswer {
  const given = (data ?? {}) as Record<string, string>;
  if (given['error'] !== undefined) return { payload: { data: { acknowledged: true } } };
  if (action === 'INIT' || action === 'BACK' || given['step'] === 'pick') return appointment(given);
  if (screen === 'APPOINTMENT') {
    if (given['time'] === '14:00') return appointment(given, 'That time is taken, please pick another one.');
    const { step: _, ...slot } = given;
    return show('DETAILS', { ...slot, error_messages: {} });
  }
  if (screen === 'DETAILS') {
    const { name, email, phone, ...slot } = given;
    if (name === 'Nobody')
      return show('DETAILS', { ...slot, notes: '', error_messages: { name: 'We do not know you' } });
    return show('SUMMARY', { ...slot, notes: '', appointment: 'Eye test', details: `${name}\n${email}\n${phone}` });
  }
  const params = { ...given, reference: 'R1', flow_token: token ?? 'unused' };
  return { payload: { screen: 'SUCCESS', data: { extension_message_response: { params } } } };
}

function appointment(picks: Picks & { step?: string }, errorMessage?: string): FakeAnswer {
  const [locations, dates, times] = [locationsFor(picks.department), datesFor(picks), timesFor(picks)];
  return show('APPOINTMENT', {
    departments,
    locations,
    dates,
    times,
    can_pick_location: locations.length > 0,
    can_pick_date: dates.length > 0,
    can_pick_time: times.length > 0,
    ...(errorMessage !== undefined && { error_message: errorMessage }),
  });
}

export function show(screen: string, data: JsonObject): FakeAnswer {
  return { payload: { screen, data } satisfies JsonValue };
}
