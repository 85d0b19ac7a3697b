/** What state and health messages say of the models of hippos: read once, or followed until something has come true. */
import type { Config } from '../config/schema.ts';
import { type Millis, isoTime } from '../core/clock.ts';
import { type Json, type JsonObject, isJsonObject } from '../core/json.ts';
import { type RecordRef, isSameRecord, offsetOf } from '../core/record-ref.ts';
import type { Kafka } from '../kafka/port.ts';
import type { Metrics } from '../messages/index.ts';
import type { ServiceHealth } from '../messages/types.ts';
import { Feed, type Found } from '../observe/index.ts';
import {
  type ModelState,
  type ModelVersion,
  type Positions,
  type RunState,
  nextOffset,
} from '../state/index.ts';
import { type StateEntry, recordOfEntry } from '../state/reader.ts';

/** A model, as `hippo model list` shows it. */
export interface ModelReport {
  hippo: string;
  model: string;
  /** The version that serves; null: none does yet. */
  serving: string | null;
  /** The version that served before: a rollback goes there. */
  previous: string | null;
  /** Since when `serving` serves, ISO 8601. */
  since: string | null;
  /** Who asked for that; null: the builder's metrics decided. */
  by: string | null;
  reason: string | null;
  /** The newest first. */
  versions: VersionReport[];
  /** They cannot be promoted any more: the next build removes their folders. */
  retired: string[];
  instances: InstanceReport[];
}

export interface VersionReport {
  version: string;
  /** ISO 8601. */
  built_at: string | null;
  job_id: string;
  metrics: Metrics;
  rows: number | null;
  parent: string | null;
  /** Whether it was promoted when it was built. */
  promoted: boolean;
  why: string;
  serving: boolean;
}

/** A service of the model beside one client. */
export interface InstanceReport {
  service: string;
  /** Of the client. */
  host: string;
  pid: number;
  role: string | null;
  status: string;
  /** The version that it says it serves; null: none. */
  version: string | null;
  /** When its client said so, ISO 8601. */
  seen: string | null;
}

/** A client that has been silent for so many of its intervals is not shown. */
const INTERVALS = 3;
/** And not less than this, milliseconds. */
const FRESH = 120_000;

/** How long one look may take, milliseconds. */
const LOOK = 5_000;

interface Hippo {
  models: Map<string, ModelState>;
  /** By key of the record: those that were asked for by hand. */
  runs: Map<string, RunState>;
  positions: Positions;
}

export interface ModelWatchOptions {
  kafka: Pick<Kafka, 'lookUp' | 'offsets' | 'offsetsAt' | 'reader'>;
  config: Config;
  /** Only this one; null: all. */
  hippo: string | null;
  now: Millis;
}

/** Follows state and health. Everything that it says is as of the last {@link look}. */
export class ModelWatch {
  readonly #feed: Feed;
  readonly #hippos = new Map<string, Hippo>();
  /** By host and process. */
  readonly #health = new Map<string, Found<ServiceHealth>>();

  constructor({ kafka, config, hippo, now }: ModelWatchOptions) {
    this.#feed = new Feed({
      kafka,
      config,
      since: now - Math.max(FRESH, INTERVALS * config.client.health_interval),
      take: {
        state: (entry) => {
          if (hippo === null || entry.key.hippo === hippo) this.#take(entry);
        },
        health: (found) => {
          const { clientIp, servicePid, serviceName } = found.message;
          if (hippo === null || serviceName === hippo)
            this.#health.set(`${serviceName} ${clientIp} ${servicePid}`, found);
        },
      },
    });
  }

  static async open(options: ModelWatchOptions): Promise<ModelWatch> {
    const watch = new ModelWatch(options);
    await watch.#feed.start();
    await watch.#feed.catchUp();
    return watch;
  }

  /** Reads what is there by now, as far as that takes no longer than {@link LOOK}. */
  async look(): Promise<void> {
    await this.#feed.catchUp(LOOK);
  }

  close(): Promise<void> {
    return this.#feed.close();
  }

  hippos(): string[] {
    return [...this.#hippos.keys()];
  }

  models(hippo: string): string[] {
    return [...(this.#hippos.get(hippo)?.models.keys() ?? [])];
  }

  model(hippo: string, model: string): ModelState | undefined {
    return this.#hippos.get(hippo)?.models.get(model);
  }

  /** The run that a message has asked for. */
  runOf(hippo: string, request: RecordRef): RunState | undefined {
    const runs = [...(this.#hippos.get(hippo)?.runs.values() ?? [])];
    return runs.find(({ manual }) => manual !== undefined && isSameRecord(manual.from, request));
  }

  /** Whether the hippo has decided about a message. */
  hasRead(hippo: string, { topic, topicId, partition, offset }: RecordRef): boolean {
    const next = nextOffset(this.#hippos.get(hippo)?.positions ?? new Map(), { topic, topicId, partition });
    return next !== undefined && next > offsetOf({ offset });
  }

  instances(hippo: string, model: string, now: Millis): InstanceReport[] {
    return [...this.#health.values()]
      .filter(({ message, at }) => message.serviceName === hippo && now - at <= freshFor(message))
      .flatMap((found) => instancesIn(found, model))
      .sort((left, right) => (left.service + left.host < right.service + right.host ? -1 : 1));
  }

  report(hippo: string, model: string, now: Millis): ModelReport {
    const state = this.model(hippo, model);
    return {
      hippo,
      model,
      serving: state?.serving ?? null,
      previous: state?.previous ?? null,
      since: timeOf(state?.since ?? null),
      by: state?.by ?? null,
      reason: state?.reason ?? null,
      versions: (state?.versions ?? []).map((version) => versionReport(version, state)).reverse(),
      retired: [...(state?.retired ?? [])],
      instances: this.instances(hippo, model, now),
    };
  }

  #take(entry: StateEntry): void {
    const { key } = entry;
    if (!['model', 'run', 'offsets'].includes(key.kind)) return;
    const record = recordOfEntry(entry);
    const known: Hippo = this.#hippos.get(key.hippo) ?? {
      models: new Map(),
      runs: new Map(),
      positions: new Map(),
    };
    this.#hippos.set(key.hippo, known);
    if (key.kind === 'model')
      setOrDelete(known.models, key.model, record?.kind === 'model' ? record.state : undefined);
    else if (key.kind === 'run') {
      const run = record?.kind === 'run' && record.run.manual !== undefined ? record.run : undefined;
      setOrDelete(known.runs, entry.id, run);
    } else if (record?.kind === 'offsets') known.positions = record.positions;
  }
}

export function versionReport(version: ModelVersion, state: ModelState | undefined): VersionReport {
  const { version: name, metrics, rows, parent, promoted, why } = version;
  return {
    ...{ version: name, built_at: timeOf(version.builtAt), job_id: version.jobId },
    ...{ metrics, rows, parent, promoted, why, serving: state?.serving === name },
  };
}

function timeOf(at: Millis | null): string | null {
  return at === null ? null : isoTime(at);
}

function freshFor({ interval }: ServiceHealth): Millis {
  return Math.max(INTERVALS * interval, INTERVALS * 1_000);
}

function instancesIn({ message, at }: Found<ServiceHealth>, model: string): InstanceReport[] {
  const { services, role } = message.extra;
  return (Array.isArray(services) ? services : []).filter(isJsonObject).flatMap((service) => {
    const version = versionIn(service, model);
    if (version === undefined) return [];
    return [
      {
        service: textOf(service['name']) ?? '?',
        host: message.clientIp,
        pid: message.servicePid,
        role: textOf(role) ?? null,
        status: textOf(service['status']) ?? '?',
        version,
        seen: timeOf(at),
      },
    ];
  });
}

/** @returns undefined where the service serves other models, or none; null: it has not loaded a version yet */
function versionIn({ models = null }: JsonObject, model: string): string | null | undefined {
  if (!isJsonObject(models) || !Object.hasOwn(models, model)) return undefined;
  return textOf(models[model]) ?? null;
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function setOrDelete<T>(map: Map<string, T>, key: string, value: T | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}
