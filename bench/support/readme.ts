/**
 * The results section of a README: everything between its two markers is written anew, except what someone wrote
 * between `<!-- reading: NAME -->` and `<!-- /reading -->`.
 */
import { BenchError } from './bench-error.ts';
import { renderResult } from './markdown.ts';
import type { BenchResult } from './results.ts';

const START = '<!-- results -->';
const END = '<!-- /results -->';
const READING = /<!-- reading: ([a-z-]+) -->\n?([\s\S]*?)\n?<!-- \/reading -->/g;

export interface Picture {
  /** Relative to the README. */
  readonly file: string;
  /** Of the bench it belongs to, for those who cannot see it. */
  readonly text: string;
}

/** @throws BenchError when the markers are not there. */
export function rewriteResults(readme: string, results: readonly BenchResult[], pictures: readonly Picture[]): string {
  const start = readme.indexOf(START);
  const end = readme.indexOf(END);
  if (start === -1 || end < start) throw new BenchError(`the README has no ${START} ... ${END}`);
  const readings = readReadings(readme);
  const sections = results.map((result) => renderResult(result, renderReading(result.bench, readings)));
  const unmeasured = [...readings.keys()].filter((name) => !results.some(({ bench }) => bench === name));
  const kept = unmeasured.map((name) => renderReading(name, readings));
  const images = pictures.map(({ file, text }) => `![${text}](${file})`);
  const section = [START, ...images, ...sections, ...kept, END].join('\n\n');
  return readme.slice(0, start) + section + readme.slice(end + END.length);
}

/** What is written about each bench. */
export function readReadings(readme: string): ReadonlyMap<string, string> {
  return new Map([...readme.matchAll(READING)].map(([, name = '', text = '']) => [name, text.trim()]));
}

function renderReading(bench: string, readings: ReadonlyMap<string, string>): string {
  const text = readings.get(bench) ?? '';
  return [`<!-- reading: ${bench} -->`, text, '<!-- /reading -->'].filter((line) => line !== '').join('\n');
}
