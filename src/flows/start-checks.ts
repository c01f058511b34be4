/** What a Flow JSON and its handlers tell before the first user comes: worth a line, and no reason not to start. */
import type { Logger } from 'pino';
import type { FlowDefinition } from './flow-definition.ts';
import { unansweredBy } from './unanswered.ts';

/** One line for each screen that asks the endpoint and has no handler, and for what the reply guard does not check. */
export function tellOfFlows(flows: Iterable<FlowDefinition>, log: Logger): void {
  for (const flow of flows) {
    const { name, compiledGuard } = flow;
    for (const { screen, why, call } of unansweredBy(flow)) {
      log.warn({ code: 'HANDLER_MISSING', flow: name, screen }, `a screen ${why} that nothing answers: add ${call}`);
    }
    for (const warning of compiledGuard?.warnings ?? []) log.warn({ code: 'GUARD_INCOMPLETE', flow: name }, warning);
  }
}
