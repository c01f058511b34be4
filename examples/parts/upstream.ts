/** What a database or another service would be in your app. */
export const calls: string[] = [];

export async function findSlots(day: string, _signal: AbortSignal): Promise<{ id: string; title: string }[]> {
  calls.push(day);
  return ['09:30', '10:15'].map((time) => ({ id: `${day} ${time}`, title: time }));
}

export const prizes = Array.from({ length: 50 }, (_, i) => ({ id: `prize-${i + 1}`, title: `Prize ${i + 1}` }));

export const drawn: string[] = [];

/** Draws a prize: nobody wants this done twice. */
export async function draw(user: string | undefined): Promise<string> {
  drawn.push(user ?? 'somebody');
  return prizes[drawn.length % prizes.length]?.title ?? 'Nothing';
}
