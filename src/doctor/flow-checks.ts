/** The app, and whether each of its Flows answers what its Flow JSON asks. */
import type { FlowDefinition } from '../flows/flow-definition.ts';
import { unansweredBy } from '../flows/unanswered.ts';
import { type Check, type DoctorContext, type Finding, failed, ok, skipped } from './check.ts';

/** One for the app, and one for each Flow it has. */
export function flowChecks({ flows }: Pick<DoctorContext, 'flows'>): Check[] {
  if (flows === undefined) return [{ name: 'app', run: () => skipped('give the app: flowgate doctor app.js') }];
  if (typeof flows === 'string') return [{ name: 'app', run: () => failed(flows) }];
  const names = [...flows.keys()].join(', ');
  const app = flows.size === 0 ? failed('the app has no Flow: add one with app.flow(name)') : ok(`Flows: ${names}`);
  const ofFlows = [...flows.values()].map((flow) => ({ name: `Flow ${flow.name}`, run: () => examineFlow(flow) }));
  return [{ name: 'app', run: () => app }, ...ofFlows];
}

function examineFlow(flow: FlowDefinition): Finding {
  const { name, json, initStep } = flow;
  if (!json) return skipped(`give app.flow('${name}', { json }) its Flow JSON`);
  const unanswered = unansweredBy(flow);
  if (unanswered.length > 0) {
    const told = unanswered.map(({ screen, why, call }) => `${screen} ${why}: add ${call}`);
    return failed(`users would see an error, since ${told.join('; ')}`);
  }
  const count = json.screens.length;
  const opening = initStep ? '' : '; without .init, so open it with flow_action navigate';
  return ok(`${count} ${count === 1 ? 'screen' : 'screens'}, and a handler for whatever asks one${opening}`);
}
