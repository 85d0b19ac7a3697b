/** Prometheus metrics of the models that a process serves. */
import type { Gauge as GaugeClass, Registry } from 'prom-client';
import type { ModelEvent, ModelSlot } from './engine.ts';

export interface ModelMetrics {
  /** So many predictions were answered by this version. */
  readonly count: (model: string, version: string, predictions: number) => void;
  readonly observe: (event: ModelEvent) => void;
}

/** The counts of older versions are dropped: each swap makes a series. */
const VERSIONS = 10;

export async function createModelMetrics(
  registry: Registry,
  slots: ReadonlyMap<string, ModelSlot>,
): Promise<ModelMetrics> {
  const { default: prometheus } = await import('prom-client');
  const registers = [registry];
  const predictions = new prometheus.Counter({
    name: 'hippo_model_predictions_total',
    help: 'Rows and users that were answered, by model and version.',
    labelNames: ['model', 'version'],
    registers,
  });
  const loads = new prometheus.Counter({
    name: 'hippo_model_loads_total',
    help: 'Versions that were loaded, by model and outcome: serving, refused, away.',
    labelNames: ['model', 'outcome'],
    registers,
  });
  const served = new Map<string, string[]>();
  addGauges(prometheus, registers, slots);
  return {
    count(model, version, amount) {
      if (amount > 0) predictions.inc({ model, version }, amount);
    },
    observe(event) {
      if (event.kind === 'disposed') return;
      loads.inc({ model: event.model, outcome: event.kind });
      if (event.kind !== 'serving') return;
      const versions = served.get(event.model) ?? [];
      served.set(event.model, [...versions.filter((one) => one !== event.version), event.version]);
      for (const old of served.get(event.model)?.slice(0, -VERSIONS) ?? [])
        predictions.remove({ model: event.model, version: old });
      served.set(event.model, served.get(event.model)?.slice(-VERSIONS) ?? []);
    },
  };
}

/** What is asked for when the metrics are read. */
function addGauges(
  { Gauge }: { Gauge: typeof GaugeClass },
  registers: Registry[],
  slots: ReadonlyMap<string, ModelSlot>,
): void {
  const all = (): ModelSlot[] => [...slots.values()];
  new Gauge({
    name: 'hippo_model_serving',
    help: '1 for the version of each model that answers.',
    labelNames: ['model', 'version'],
    registers,
    collect() {
      this.reset();
      for (const { name, status } of all())
        if (status.version !== null) this.set({ model: name, version: status.version }, 1);
    },
  });
  new Gauge({
    name: 'hippo_model_behind',
    help: '1 while a model answers with another version than the one that is wanted.',
    labelNames: ['model'],
    registers,
    collect() {
      for (const { name, status } of all())
        this.set({ model: name }, status.version === status.wanted ? 0 : 1);
    },
  });
  new Gauge({
    name: 'hippo_model_bytes',
    help: "Memory of the version that answers, outside of V8's heap.",
    labelNames: ['model'],
    registers,
    collect() {
      for (const { name, current } of all()) this.set({ model: name }, current?.model.bytes ?? 0);
    },
  });
  // It comes first, because metrics are read in their order, and its look sets the others.
  new Gauge({
    name: 'hippo_model_feature_psi',
    help: 'The population stability index of a feature in the window against the training data; from 100 rows on.',
    labelNames: ['model', 'feature'],
    registers,
    collect() {
      for (const gauge of [this, rows, mean, trained]) gauge.reset();
      for (const { name: model, current } of all()) {
        if (current === null || current.drift === null || current.model.kind !== 'classifier') continue;
        const look = current.drift.look();
        rows.set({ model }, look.rows);
        for (const [feature, { mean: then }] of Object.entries(current.model.manifest.statistics))
          trained.set({ model, feature }, then);
        for (const { feature, mean: now, psi } of look.features) {
          mean.set({ model, feature }, now);
          if (psi !== null) this.set({ model, feature }, psi);
        }
      }
    },
  });
  const rows = new Gauge({
    name: 'hippo_model_drift_rows',
    help: 'Rows in the window over which drift is taken.',
    labelNames: ['model'],
    registers,
  });
  const trained = new Gauge({
    name: 'hippo_model_feature_trained_mean',
    help: 'The mean of a feature in the training data.',
    labelNames: ['model', 'feature'],
    registers,
  });
  const mean = new Gauge({
    name: 'hippo_model_feature_mean',
    help: 'The mean of a feature in the rows of the window.',
    labelNames: ['model', 'feature'],
    registers,
  });
}
