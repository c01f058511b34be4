/** A gauge that is read when it is scraped. */
import { Gauge, type Registry } from 'prom-client';

export interface SampledGauge {
  collectFrom(read: () => number): void;
}

export function sampledGauge(registry: Registry, name: string, help: string): SampledGauge {
  let read = () => 0;
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(read());
    },
  });
  return {
    collectFrom(source) {
      read = source;
    },
  };
}
