import { expect, test } from 'vitest';
import { MAX_TENANT_LABELS } from '../../src/metrics/flow-metrics.ts';
import { createMetrics } from '../../src/metrics/registry.ts';

const seriesOf = async (metrics: ReturnType<typeof createMetrics>, name: string) =>
  (await metrics.render()).split('\n').filter((line) => line.startsWith(`${name}_count`));

test('without a tenant the series are what they always were', async () => {
  const metrics = createMetrics();
  metrics.flowRequest('booking', 'INIT', 'ok', 1);
  metrics.handler('booking', 'INIT', 1);
  expect(await seriesOf(metrics, 'flowgate_flow_request_duration_seconds')).toEqual([
    'flowgate_flow_request_duration_seconds_count{flow="booking",action="INIT",outcome="ok"} 1',
  ]);
  expect(await seriesOf(metrics, 'flowgate_handler_duration_seconds')).toEqual([
    'flowgate_handler_duration_seconds_count{flow="booking",screen="INIT"} 1',
  ]);
});

test('a hundred tenants have series of their own; the others share one', async () => {
  const metrics = createMetrics();
  for (let i = 0; i < MAX_TENANT_LABELS; i++) metrics.flowRequest('booking', 'INIT', 'ok', 1, `t${i}`);
  for (let i = 0; i < 500; i++) metrics.handler('booking', 'INIT', 1, `late${i}`);
  metrics.handler('booking', 'INIT', 1, 't0');
  for (let i = 0; i < 500; i++) metrics.flowRequest('booking', 'INIT', 'ok', 1, `late${i}`);
  const requests = await seriesOf(metrics, 'flowgate_flow_request_duration_seconds');
  expect(requests).toHaveLength(MAX_TENANT_LABELS + 1);
  expect(requests).toContain(
    'flowgate_flow_request_duration_seconds_count{flow="booking",action="INIT",outcome="ok",tenant="other"} 500',
  );
  expect(await seriesOf(metrics, 'flowgate_handler_duration_seconds')).toEqual([
    'flowgate_handler_duration_seconds_count{flow="booking",screen="INIT",tenant="other"} 500',
    'flowgate_handler_duration_seconds_count{flow="booking",screen="INIT",tenant="t0"} 1',
  ]);
});
