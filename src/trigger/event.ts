import type { Config, NeedConfig } from '../config/schema.ts';
import { UserError } from '../core/errors.ts';
import { didYouMean } from '../core/near.ts';
import {
  FRONTIER_DIALECTS,
  type FrontierDialect,
  type FrontierEvent,
  type PartitionField,
} from '../messages/index.ts';

/** What a person said about the event, as words; undefined: not said. */
export interface EventWords {
  table?: string | undefined;
  /** `name=value` each, outermost level first. */
  partition?: readonly string[] | undefined;
  method?: string | undefined;
  dialect?: string | undefined;
}

/** An event without its partition and its date. */
export type EventShape = Pick<FrontierEvent, 'dialect' | 'db' | 'table' | 'method'>;

export interface CompletedEvent {
  shape: EventShape;
  /** What --partition said; undefined: nothing. */
  said: PartitionField[] | undefined;
  /** What `trigger.partition` of hippo.yaml says, where the table is that of `trigger`. */
  usual: PartitionField[];
}

/**
 * Completes what was said from hippo.yaml: the table is `trigger.table`, or the only table that this project's jobs need;
 * the partition that of `trigger`, where the table is its own.
 *
 * @throws UserError naming what is missing or malformed
 */
export function completeEvent(words: EventWords, config: Config): CompletedEvent {
  const name = words.table === undefined ? defaultTable(config) : readTable(words.table);
  const [db = '', table = ''] = name.split('.');
  const usual = name === defaultTable(config, false) ? (config.trigger.partition ?? {}) : {};
  return {
    shape: {
      dialect: readDialect(words.dialect ?? config.trigger.dialect),
      db,
      table,
      method: readMethod(words.method ?? config.trigger.method),
    },
    said: words.partition === undefined ? undefined : readPartition(words.partition),
    usual: Object.entries(usual).map(([level, value]) => ({ name: level, value })),
  };
}

/** @throws UserError where `required` and hippo.yaml leaves it open */
function defaultTable(config: Config, required?: true): string;
function defaultTable(config: Config, required: false): string | undefined;
function defaultTable(config: Config, required = true): string | undefined {
  if (config.trigger.table !== undefined) return config.trigger.table;
  const needed = neededTables(config);
  if (needed.length === 1) return needed[0];
  if (!required) return undefined;
  throw new UserError('which table has landed?', {
    why:
      needed.length === 0
        ? 'There is no --table, and hippo.yaml names none (trigger.table, or the needs of its jobs).'
        : `This project's jobs need ${needed.join(', ')}.`,
    next:
      needed.length === 0
        ? ['hippo trigger --table db.table']
        : needed.slice(0, 3).map((one) => `hippo trigger --table ${one}`),
  });
}

/** The tables that the jobs of this hippo.yaml need, each once. */
export function neededTables(config: Config): string[] {
  return [...new Set(Object.values(config.jobs).flatMap((job) => job.needs.flatMap(tablesOf)))];
}

/** The tables that a need names. */
export function tablesOf(need: NeedConfig): string[] {
  if ('table' in need) return [need.table];
  if ('any_of' in need) return need.any_of.flatMap(tablesOf);
  if ('of' in need) return need.of.flatMap(tablesOf);
  return [];
}

/** @throws UserError where it is not db.table */
function readTable(text: string): string {
  if (/^[^.\s/=]+\.[^.\s/=]+$/.test(text)) return text;
  throw new UserError(`--table ${text} is not db.table`, { next: ['hippo trigger --table btd.party'] });
}

function readPartition(words: readonly string[]): PartitionField[] {
  const levels = words.map((word) => {
    const equals = word.indexOf('=');
    const level = { name: word.slice(0, Math.max(equals, 0)).trim(), value: word.slice(equals + 1).trim() };
    if (equals > 0 && level.name !== '' && level.value !== '') return level;
    throw new UserError(`--partition ${word} is not name=value`, {
      why: 'Each level of a multi-level partition has a --partition of its own, outermost first.',
      next: [
        `hippo trigger --partition yyyymm=201704`,
        'hippo trigger --partition date=20170428 --partition region=eu',
      ],
    });
  });
  const twice = levels.find(({ name }, index) => levels.findIndex((level) => level.name === name) !== index);
  if (twice === undefined) return levels;
  throw new UserError(`--partition names the level ${twice.name} twice`, {
    why: 'One event carries one partition; several partitions are several events.',
    next: ['hippo trigger --range 201701..201712', 'hippo trigger --file events.jsonl'],
  });
}

function readDialect(text: string): FrontierDialect {
  const dialect = FRONTIER_DIALECTS.find((known) => known === text);
  if (dialect !== undefined) return dialect;
  throw new UserError(`unknown dialect ${text}`, {
    why: [didYouMean(text, FRONTIER_DIALECTS), `Known are ${FRONTIER_DIALECTS.join(', ')}.`]
      .filter(Boolean)
      .join(' '),
  });
}

function readMethod(text: string): string {
  if (/^[\w.-]+$/.test(text)) return text;
  throw new UserError(`--method ${JSON.stringify(text)} is not a method`, {
    why: 'It is one word, such as partition, overwrite_partition, overwrite or append.',
  });
}
