/** The pattern of a table's folders: for each level a name and a value in which `*` stands for any text. */
import { firstTwice } from '../core/twice.ts';
import { partitionProblem, parsePartitionPath } from '../messages/index.ts';
import type { Partition } from '../messages/types.ts';

/** One level of folders. */
interface Level {
  /** As it stands in the pattern. */
  readonly text: string;
  readonly matches: RegExp;
  /** A folder of a fixed name is no level of the partition. */
  readonly isPartition: boolean;
}

export type Levels = readonly Level[];

export type ParsedLevels = { ok: true; levels: Levels } | { ok: false; message: string; allowed: string };

const ALLOWED = 'levels such as yyyymm=*/region=*: a name, "=", and a value in which * stands for any text';

/** @param pattern left out or empty: the folder itself is the landing of an unpartitioned table */
export function parseLevels(pattern: string): ParsedLevels {
  if (pattern === '') return { ok: true, levels: [] };
  const texts = pattern.split('/');
  const blank = texts.some((text) => text === '' || text === '.' || text === '..');
  if (blank)
    return { ok: false, message: `"${pattern}" has an empty level, or one of dots`, allowed: ALLOWED };
  const bare = texts.find((text) => text.startsWith('=') || (text.split('=')[0] ?? '').includes('*'));
  if (bare !== undefined) return { ok: false, message: `the level "${bare}" has no name`, allowed: ALLOWED };
  const levels = texts.map((text): Level => ({
    text,
    matches: new RegExp(`^${text.split('*').map(escaped).join('.+')}$`, 'su'),
    isPartition: text.includes('='),
  }));
  const names = levels.filter(({ isPartition }) => isPartition).map(({ text }) => text.split('=')[0]);
  const twice = firstTwice(names);
  if (twice !== undefined)
    return { ok: false, message: `the level "${twice}" occurs twice`, allowed: ALLOWED };
  return { ok: true, levels };
}

/** RegExp.escape is there from Node 24 on only. */
function escaped(text: string): string {
  return text.replaceAll(/[\\^$.+?()[\]{}|]/g, '\\$&');
}

/** Hive and Spark keep what is being written, and what belongs to no table, in folders that begin so. */
export function isHidden(name: string): boolean {
  return name.startsWith('_') || name.startsWith('.');
}

/** What writers call a file before they rename it. */
export function isTemporary(name: string): boolean {
  return /\.(_COPYING_|tmp|temp|part|partial|filepart|inprogress|crdownload)$/i.test(name);
}

/** @returns why a folder of that name is skipped at that level; undefined: it is not */
export function refusalOf(level: Level, name: string): string | undefined {
  if (name.includes('\uFFFD')) return 'its name is not UTF-8';
  return level.matches.test(name) ? undefined : `its name is not ${level.text}`;
}

export type ReadPartition = { ok: true; partition: Partition } | { ok: false; reason: string };

/** @param names one for each level */
export function partitionOf(levels: Levels, names: readonly string[]): ReadPartition {
  const path = names.filter((_, index) => levels[index]?.isPartition === true).join('/');
  const partition = parsePartitionPath(path);
  if (partition === undefined) return { ok: false, reason: 'a level has no value' };
  const problem = partitionProblem(partition);
  return problem === undefined ? { ok: true, partition } : { ok: false, reason: problem };
}
