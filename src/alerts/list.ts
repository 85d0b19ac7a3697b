/** The open alerts, from the state of the hippos: the same on any machine. */
import { identityOf } from '../config/groups.ts';
import { type LoadedConfig, hippoName, loadConfig } from '../config/load.ts';
import { topicName } from '../config/topics.ts';
import { isoTime } from '../core/clock.ts';
import { connectProject } from '../kafka/project.ts';
import type { Kafka } from '../kafka/port.ts';
import type { AlertCondition } from '../messages/types.ts';
import type { AlertState } from '../state/index.ts';
import { type StateEntry, readState, recordOfEntry } from '../state/reader.ts';

export interface ListOptions {
  /** `--config` and `--profile`. */
  file: string | undefined;
  profile: string | undefined;
  /** Of all hippos of `topics.prefix`. */
  all: boolean;
  signal: AbortSignal;
}

export interface AlertList {
  /** null: of all hippos. */
  hippo: string | null;
  /** Whether this project's hippo.yaml has `alerts`; null: of all hippos. */
  configured: boolean | null;
  /** The oldest first. */
  alerts: ListedAlert[];
}

export interface ListedAlert {
  /** As on the alert topic and as receivers get it. */
  id: string;
  condition: AlertCondition;
  hippo: string;
  /** The job, service, source or topic that it is about. */
  subject: string;
  run_key: string | null;
  /** ISO 8601. */
  since: string | null;
  /** What has happened, one line. */
  text: string;
  /** Commands to type. */
  next: readonly string[];
  /** The receivers that have taken it. */
  delivered: string[];
}

/** @throws ServiceError without Kafka */
export async function listAlerts({ file, profile, all, signal }: ListOptions): Promise<AlertList> {
  const loaded = await loadConfig({ file, profile, cwd: process.cwd(), env: process.env });
  const hippo = all || loaded.file === null ? null : hippoName(loaded);
  const kafka = await connectProject(loaded, process.env, signal);
  try {
    const found = await readAlerts(kafka, loaded, hippo);
    const open = found.filter(({ alert }) => alert.resolvedAt === undefined);
    return {
      hippo,
      configured: hippo === null ? null : loaded.config.alerts !== undefined,
      alerts: open.sort((left, right) => left.alert.since - right.alert.since).map(listed),
    };
  } finally {
    await kafka.close();
  }
}

interface FoundAlert {
  hippo: string;
  id: string;
  alert: AlertState;
}

async function readAlerts(
  kafka: Pick<Kafka, 'lookUp' | 'offsets' | 'offsetsAt' | 'reader'>,
  { config }: Pick<LoadedConfig, 'config'>,
  hippo: string | null,
): Promise<FoundAlert[]> {
  const found = new Map<string, FoundAlert>();
  const take = (entry: StateEntry): void => {
    const { key, id } = entry;
    if (key.kind !== 'alert') return;
    const record = recordOfEntry(entry);
    if (record?.kind === 'alert')
      found.set(id, {
        hippo: key.hippo,
        id: `${identityOf(config, key.hippo)}/${key.alert}`,
        alert: record.state,
      });
    else found.delete(id);
  };
  await readState(kafka, topicName(config, 'state'), take, hippo ?? undefined);
  return [...found.values()];
}

function listed({ hippo, id, alert }: FoundAlert): ListedAlert {
  const { condition, subject, runKey, since, text, next = [], delivered = {} } = alert;
  return {
    id,
    condition,
    hippo,
    subject,
    run_key: runKey ?? null,
    since: isoTime(since),
    text,
    next,
    delivered: Object.keys(delivered),
  };
}
