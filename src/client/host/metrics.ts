import type { ClientEvent } from './client-event.ts';
import { type Exposition, mergeExpositions } from './services/exposition.ts';
import type { ClientStatus } from './status.ts';

export interface Metrics {
  /** Counts what has happened. */
  observe(event: ClientEvent): void;
  render(): Promise<{ contentType: string; text: string }>;
}

/**
 * Prometheus metrics of one client. Loads prom-client, so only where they are served.
 *
 * @param scrape what the services of this client expose
 */
export async function createMetrics(
  status: () => ClientStatus,
  scrape: () => Promise<Exposition[]> = () => Promise.resolve([]),
): Promise<Metrics> {
  // A CommonJS module: the bundle has it as `default` only.
  const { default: prometheus } = await import('prom-client');
  const { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } = prometheus;
  const registry = new Registry();
  registry.setDefaultLabels({ hippo: status().hippo });
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const attempts = new Counter({
    name: 'hippo_attempts_total',
    help: 'Attempts that have ended, by job and outcome.',
    labelNames: ['job', 'outcome'],
    registers,
  });
  const seconds = new Histogram({
    name: 'hippo_attempt_duration_seconds',
    help: 'How long attempts took, by job.',
    labelNames: ['job'],
    buckets: [1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 12 * 3600],
    registers,
  });
  const rejected = new Counter({
    name: 'hippo_rejected_messages_total',
    help: 'Messages that went to a dead letter queue, by topic.',
    labelNames: ['topic'],
    registers,
  });
  const gaps = new Counter({
    name: 'hippo_input_gaps_total',
    help: 'How often an input was read on elsewhere, because the position was not in its log, by topic and cause.',
    labelNames: ['topic', 'cause'],
    registers,
  });
  const announced = new Counter({
    name: 'hippo_source_announced_total',
    help: 'Landings for which this client has published an event, by source or service.',
    labelNames: ['source'],
    registers,
  });
  const deliveries = new Counter({
    name: 'hippo_alert_deliveries_total',
    help: 'Messages with alerts that this client has sent, by receiver and outcome.',
    labelNames: ['receiver', 'outcome'],
    registers,
  });
  const gauge = (
    name: string,
    help: string,
    labelNames: string[],
    collect: (this: InstanceType<typeof Gauge>, now: ClientStatus) => void,
  ): void => {
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect() {
        // A gauge without labels would be 0 after a reset, so a gauge with an unknown value is removed.
        if (labelNames.length === 0) this.remove();
        else this.reset();
        collect.call(this, status());
      },
    });
  };
  gauge('hippo_owner', '1: this client owns the hippo; 0: it stands by.', [], function (now) {
    this.set(now.role === 'owner' ? 1 : 0);
  });
  gauge('hippo_connected', '1: the client has a connection to Kafka.', [], function (now) {
    this.set(now.connected ? 1 : 0);
  });
  gauge('hippo_runs', 'Remembered runs, by status.', ['status'], function (now) {
    for (const [name, count] of Object.entries(now.runs)) this.set({ status: name }, count);
  });
  gauge(
    'hippo_input_lag',
    'Messages of an input partition that have not been taken in.',
    ['topic', 'partition'],
    function (now) {
      for (const { topic, partition, lag } of now.lag) this.set({ topic, partition }, lag);
    },
  );
  gauge(
    'hippo_waiting_seconds',
    'How long the oldest waiting run has been waiting for its needs, by job.',
    ['job'],
    function (now) {
      for (const { job, for_ms } of now.waiting) this.set({ job }, for_ms / 1000);
    },
  );
  gauge('hippo_alerts_open', 'Alerts that are open, by condition.', ['condition'], function (now) {
    for (const [condition, count] of Object.entries(now.alerts)) this.set({ condition }, count);
  });
  gauge(
    'hippo_last_finish_timestamp_seconds',
    'When the last run finished; absent: none is remembered.',
    [],
    function (now) {
      if (now.last_finish !== null) this.set(now.last_finish / 1000);
    },
  );
  const sourceGauge = (
    name: string,
    help: string,
    valueOf: (source: ClientStatus['sources'][number]) => number | null,
  ): void =>
    gauge(`hippo_source_${name}`, help, ['source'], function (now) {
      for (const source of now.sources) {
        const value = valueOf(source);
        if (value !== null) this.set({ source: source.name }, value);
      }
    });
  sourceGauge(
    'last_scan_timestamp_seconds',
    'When the last scan of a source ended.',
    ({ last_scan: scan }) => (scan === null ? null : scan.at / 1000),
  );
  sourceGauge(
    'last_scan_duration_seconds',
    'How long the last scan of a source took.',
    ({ last_scan: scan }) => (scan === null ? null : scan.took_ms / 1000),
  );
  sourceGauge('listed', 'Landings that the last scan of a source listed.', ({ last_scan: scan }) =>
    scan === null ? null : scan.listed,
  );
  sourceGauge('skipped', 'Paths that the last scan of a source skipped.', ({ last_scan: scan }) =>
    scan === null ? null : scan.skipped,
  );
  sourceGauge('unsettled', 'Landings of a source that wait to settle.', ({ unsettled }) => unsettled);
  sourceGauge('known', 'Landings of a source that are remembered as announced.', ({ known }) => known);
  sourceGauge('away', '1: the last scan of a source could not list it to its end.', ({ last_scan: scan }) =>
    scan === null ? null : scan.error === null ? 0 : 1,
  );
  sourceGauge('paused', '1: a person has paused the source.', ({ paused }) => (paused ? 1 : 0));
  gauge(
    'hippo_service_model',
    '1: the service says that it serves this version of the model.',
    ['service', 'model', 'version'],
    function (now) {
      for (const { name, models = {} } of now.services)
        for (const [model, version] of Object.entries(models))
          if (version !== null) this.set({ service: name, model, version }, 1);
    },
  );
  gauge(
    'hippo_service_ready',
    '1: the service is ready on this client; 0: it is not.',
    ['service', 'scope'],
    function (now) {
      for (const { name, scope, status } of now.services)
        if (scope === 'each' || now.role === 'owner')
          this.set({ service: name, scope }, status === 'ready' ? 1 : 0);
    },
  );
  gauge(
    'hippo_service_restarts',
    'How often this client has started the service again because it had ended.',
    ['service'],
    function (now) {
      for (const { name, restarts } of now.services) this.set({ service: name }, restarts);
    },
  );
  gauge(
    'hippo_alert_waiting_seconds',
    'How long the oldest alert that a receiver has not taken has been waiting; 0: it has taken all.',
    ['receiver'],
    function (now) {
      for (const { name, waiting_ms: millis } of now.receivers) this.set({ receiver: name }, millis / 1000);
    },
  );
  return {
    observe(event) {
      if (event.event === 'ended') {
        attempts.inc({ job: event.job, outcome: event.outcome });
        seconds.observe({ job: event.job }, event.duration_ms / 1000);
      } else if (event.event === 'rejected') rejected.inc({ topic: event.topic });
      else if (event.event === 'delivered')
        deliveries.inc({ receiver: event.receiver, outcome: event.outcome });
      else if (event.event === 'announced') announced.inc({ source: event.source }, event.landings.length);
      else if (event.event === 'gap') gaps.inc({ topic: event.topic, cause: event.cause });
    },
    async render() {
      const [own, services] = await Promise.all([registry.metrics(), scrape()]);
      const text =
        services.length === 0 ? own : mergeExpositions([{ text: own, labels: [], isOwn: true }, ...services]);
      return { contentType: registry.contentType, text };
    },
  };
}
