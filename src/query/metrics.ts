/** Metrics of queries and tables, for Prometheus. */
import type { Registry } from 'prom-client';
import type { AnswerParts } from './answer.ts';

export async function addQueryMetrics(registry: Registry, { engine, data }: AnswerParts): Promise<void> {
  // A CommonJS module: the bundle has it as `default` only.
  const { default: prometheus } = await import('prom-client');
  const registers = [registry];
  new prometheus.Gauge({
    name: 'hippo_queries_running',
    help: 'Queries that run.',
    registers,
    collect() {
      this.set(engine.load.running);
    },
  });
  new prometheus.Gauge({
    name: 'hippo_queries_waiting',
    help: 'Requests that wait for a connection.',
    registers,
    collect() {
      this.set(engine.load.waiting);
    },
  });
  new prometheus.Gauge({
    name: 'hippo_query_table_partitions',
    help: 'Visible partitions, by table.',
    labelNames: ['table'],
    registers,
    collect() {
      for (const { table, partitions } of data.freshness()) this.set({ table }, partitions);
    },
  });
  new prometheus.Gauge({
    name: 'hippo_query_table_awaited',
    help: 'Landings that are not visible yet, by table.',
    labelNames: ['table'],
    registers,
    collect() {
      for (const { table, awaited } of data.freshness()) this.set({ table }, awaited.length);
    },
  });
}
