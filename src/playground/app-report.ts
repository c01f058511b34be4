/** What the page is told of the app: its Flows, and what is wrong with them. */
import type { FlowDefinition } from '../flows/flow-definition.ts';
import { checkFlowJson } from '../flows/guard/check-flow-json.ts';
import type { AppFailure, AppReport, FlowReport } from './api.ts';

interface ReportedApp {
  readonly flows: Iterable<FlowDefinition>;
  readonly sendsToPhone: boolean;
}

export function reportApp(bootId: string, publicUrl: string, { flows, sendsToPhone }: ReportedApp): AppReport {
  return { bootId, publicUrl, flows: [...flows].map(reportFlow), sendsToPhone };
}

function reportFlow({ name, json, completion }: FlowDefinition): FlowReport {
  const problems = json === undefined ? [] : checkFlowJson(json);
  return { name, ...(json && { json }), problems, hasCompleted: completion !== undefined };
}

export function reportFailure(bootId: string, failure: AppFailure): AppReport {
  return { bootId, publicUrl: '', flows: [], sendsToPhone: false, failure };
}
