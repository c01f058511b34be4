/** `flowgate flow check | types`: what a Flow JSON says, without a server, an app or Meta. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { drawMermaid } from '../flows/describe/draw-mermaid.ts';
import { drawText } from '../flows/describe/draw-text.ts';
import { MAX_SCREENS, outlineOf } from '../flows/describe/outline.ts';
import { printable } from '../flows/describe/printable.ts';
import { GENERATED, typesSource } from '../flows/describe/types-source.ts';
import type { FlowJson } from '../flows/flow-json.ts';
import { checkFlowJson } from '../flows/guard/check-flow-json.ts';
import { type FlowJsonProblem, isFatal, MAX_PROBLEMS } from '../flows/guard/problems.ts';
import { CliError, reasonOf } from './cli-error.ts';
import { formatCounts, formatProblems, indent } from './format-flow.ts';
import { nameOf, readJsonFile } from './read-json-file.ts';

export interface CheckOptions {
  /** Print the routes as a Mermaid flowchart, and nothing else. */
  readonly mermaid?: boolean;
  /** Print the problems as JSON, and nothing else. */
  readonly json?: boolean;
}

/** @returns the exit code: 1 when there is an error, or could be one among the problems that are too many to tell. */
export async function checkFlow(file: string, { mermaid, json }: CheckOptions): Promise<number> {
  const flow = await readFlow(file);
  const { problems } = flow;
  if (json) console.log(JSON.stringify(problems, null, 2));
  else if (mermaid) printMermaid(file, flow);
  else printReport(file, flow);
  return problems.length >= MAX_PROBLEMS || problems.some(({ severity }) => severity === 'error') ? 1 : 0;
}

export interface TypesOptions {
  /** What the types begin with; by default the file's name. */
  readonly name?: string;
  /** The file to write; by default they are printed. */
  readonly out?: string;
}

export async function writeTypes(file: string, { name, out }: TypesOptions): Promise<void> {
  const flow = await readFlow(file);
  const command = [file === '-' ? '-' : basename(file), ...(name === undefined ? [] : ['--name', name])].join(' ');
  const source = typesSource(usable(file, flow), { name: name ?? nameFrom(file), command });
  mentionProblems(file, flow);
  if (out === undefined) process.stdout.write(source);
  else writeGenerated(out, source);
}

interface CheckedFlow {
  readonly json: unknown;
  readonly problems: readonly FlowJsonProblem[];
}

async function readFlow(file: string): Promise<CheckedFlow> {
  const json = await readJsonFile(file);
  return { json, problems: checkFlowJson(json) };
}

function printReport(file: string, flow: CheckedFlow): void {
  const { problems } = flow;
  console.log(problems.length === 0 ? `${nameOf(file)}: no problem found` : formatProblems(problems));
  if (isUsable(problems)) console.log(`\nRoutes:\n${indent(drawText(outlineOf(usable(file, flow))))}`);
}

function printMermaid(file: string, flow: CheckedFlow): void {
  const mermaid = drawMermaid(outlineOf(usable(file, flow)));
  mentionProblems(file, flow);
  console.log(mermaid);
}

/** On stderr: what is printed is for a file. */
function mentionProblems(file: string, { problems }: CheckedFlow): void {
  if (problems.length > 0) console.error(`flowgate: ${formatCounts(problems)}: see flowgate flow check ${file}`);
}

/** Where there may be more problems than were told, a fatal one may be among them. */
function isUsable(problems: readonly FlowJsonProblem[]): boolean {
  return problems.length < MAX_PROBLEMS && !problems.some(isFatal);
}

/** @throws CliError when its screens or routes cannot be known. */
function usable(file: string, { json, problems }: CheckedFlow): FlowJson {
  if (!isUsable(problems)) {
    const { where, message } = problems.find(isFatal) ?? { where: 'it', message: `has ${MAX_PROBLEMS} problems` };
    throw new CliError(printable(`${nameOf(file)} is no usable Flow JSON: ${where}: ${message}`));
  }
  const flow = json as FlowJson;
  if (flow.screens.length > MAX_SCREENS) throw new CliError(`${nameOf(file)} has more than ${MAX_SCREENS} screens`);
  return flow;
}

/** `booking.flow.json` -> `Booking`. */
function nameFrom(file: string): string {
  const words = basename(file)
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/(?:\.flow)?\.json$/i, '')
    .split(/[^A-Za-z\d]+/);
  const name = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
  return /^[A-Z]/.test(name) ? name : `Flow${name}`;
}

/** Over a file of its own only: a wrong `-o` must not cost anyone their app. */
function writeGenerated(out: string, source: string): void {
  try {
    if (statSync(out, { throwIfNoEntry: false })?.isFile() && !readFileSync(out, 'utf8').startsWith(GENERATED)) {
      throw new CliError(`${out} was not written by flowgate flow types: give another file, or delete it first`);
    }
    writeFileSync(out, source);
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError(`cannot write ${out}: ${reasonOf(error)}`);
  }
}
