/** Are users waiting? Are we losing anything? Is Meta about to throttle us? A file a row. */
import { answers } from './overview/answers.ts';
import { losses } from './overview/losses.ts';
import { processes } from './overview/processes.ts';
import { tenants } from './overview/tenants.ts';
import { throttling } from './overview/throttling.ts';
import { waiting } from './overview/waiting.ts';
import type { DashboardSpec } from './spec.ts';

export const overview: DashboardSpec = {
  uid: 'flowgate-overview',
  title: 'Flowgate: overview',
  description: 'Are users waiting? Are we losing anything? Is Meta about to throttle us?',
  rows: [waiting, losses, throttling, answers, tenants, processes],
};
