/** What can be booked. In your app this is a database; here it is a fixed week, so that the example always runs alike. */

/** An item of a dropdown. */
export type Option = { id: string; title: string };
export type TimeOption = Option & { enabled: boolean };

/** What the user has picked so far, in the order of the form. */
export type Picks = { department?: string | undefined; location?: string | undefined; date?: string | undefined };

export const departments: Option[] = [
  { id: 'eyes', title: 'Eye test' },
  { id: 'hearing', title: 'Hearing test' },
  { id: 'glasses', title: 'Glasses repair' },
];

const allLocations: Option[] = [
  { id: 'north', title: 'North Street 12' },
  { id: 'harbour', title: 'Harbour Square 3' },
];

const allDates: Option[] = [
  { id: '2030-01-07', title: 'Mon 7 Jan' },
  { id: '2030-01-08', title: 'Tue 8 Jan' },
  { id: '2030-01-10', title: 'Thu 10 Jan' },
];

const times = ['09:30', '10:15', '14:00', '16:45'];
const taken = new Set(['north 2030-01-07 10:15', 'harbour 2030-01-08 14:00']);

export function locationsFor(department: string | undefined): Option[] {
  if (department === undefined) return [];
  return department === 'hearing' ? allLocations.slice(0, 1) : allLocations;
}

export function datesFor({ department, location }: Picks): Option[] {
  return locationsFor(department).some(({ id }) => id === location) ? allDates : [];
}

export function timesFor(picks: Picks): TimeOption[] {
  if (!datesFor(picks).some(({ id }) => id === picks.date)) return [];
  return times.map((time) => ({
    id: time,
    title: time,
    enabled: !taken.has(`${picks.location} ${picks.date} ${time}`),
  }));
}

export function isFree({ time, ...picks }: Required<Picks> & { time: string }): boolean {
  return timesFor(picks).some(({ id, enabled }) => id === time && enabled);
}

/** "Eye test, North Street 12" and the day and time below. */
export function describe(booking: Required<Picks> & { time: string }): string {
  const titleOf = (options: Option[], id: string | undefined) =>
    options.find((option) => option.id === id)?.title ?? id;
  const what = `${titleOf(departments, booking.department)}, ${titleOf(allLocations, booking.location)}`;
  return `${what}\n${titleOf(allDates, booking.date)} at ${booking.time}`;
}
