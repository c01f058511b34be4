/** Reads a service's Prometheus text, as far as the commands need it. */

/** @returns each sample by its name and labels, as written. */
export async function readMetrics(adminUrl: string): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    samples.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

/** How much the counter `name` grew. */
export function delta(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>, name: string): number {
  return (after.get(name) ?? 0) - (before.get(name) ?? 0);
}
