import { topicName } from '../config/topics.ts';
import type { Config } from '../config/schema.ts';
import { nearMisses } from '../core/near.ts';
import type { Kafka } from '../kafka/port.ts';
import { neededTables } from './event.ts';

/** A table that no hippo is known to need. */
export interface UnknownTable {
  table: string;
  /** Needed tables with similar names. */
  near: string[];
}

/** At most this many are listed. */
const MOST = 5;

/**
 * The tables that no hippo needs, as far as is known: neither a job of this hippo.yaml, nor a hippo whose state remembers
 * that one of them landed. Empty where nothing is known of what is needed.
 *
 * @param kafka null: only hippo.yaml is asked
 */
export async function unknownTables(
  tables: Iterable<string>,
  config: Config,
  kafka: Kafka | null,
): Promise<UnknownTable[]> {
  const needed = neededTables(config);
  const ours = new Set(needed.map(fold));
  const candidates = [...tables].filter((table) => !ours.has(fold(table)));
  if (candidates.length === 0) return [];
  const known = [
    ...needed,
    ...(kafka === null ? [] : await rememberedTables(kafka, topicName(config, 'state'))),
  ];
  if (known.length === 0) return [];
  const all = new Set(known.map(fold));
  return candidates
    .filter((table) => !all.has(fold(table)))
    .slice(0, MOST)
    .map((table) => ({ table, near: nearMisses(table, known) }));
}

/** Hive and Spark ignore case in names of tables. */
function fold(table: string): string {
  return table.toLowerCase();
}

/** The needs that the inputs in the hippos' state have satisfied: `btd.party`, `btd.party{region=us}`, `btd.party#2`. */
async function rememberedTables(kafka: Kafka, topic: string): Promise<string[]> {
  const { readState, recordOfEntry } = await import('../state/reader.ts');
  const tables = new Set<string>();
  await readState(kafka, topic, (entry) => {
    const record = entry.key.kind === 'input' ? recordOfEntry(entry) : undefined;
    if (record?.kind !== 'input') return;
    const { need } = record.input;
    // The need of another hippo's job is called hippo/job.
    if (!need.includes('/')) tables.add(need.replace(/[{#].*$/, ''));
  });
  return [...tables];
}
