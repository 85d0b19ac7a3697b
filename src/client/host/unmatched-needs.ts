/** Needs that nothing of this hippo's own can satisfy, although they name a table or a job of it. They wait for ever, without a word. */
import type { Config, JobConfig, NeedConfig, SingleNeedConfig, SourceConfig } from '../../config/schema.ts';
import { didYouMean } from '../../core/near.ts';
import { parseLevels } from '../../sources/index.ts';

type TableNeed = Extract<SingleNeedConfig, { table: string }>;

/** What publishes events of a table: a source, or a job that produces it. */
interface Maker {
  /** `the source orders` */
  name: string;
  table: string;
  /** The names of its partition's levels. */
  levels: readonly string[];
}

/** @returns a sentence for each */
export function describeUnmatched(
  config: Pick<Config, 'jobs' | 'sources' | 'services'>,
  hippo: string,
): string[] {
  const makers = makersOf(config);
  const needs = Object.entries(config.jobs).flatMap(([name, { every, needs: own }]) =>
    own.flatMap(singles).map((need) => ({ name, every, need })),
  );
  const reloads = Object.entries(config.services).flatMap(([name, { reload_on: own = [] }]) =>
    own.map((need) => ({ name, every: 'event' as const, need })),
  );
  const all = [...needs, ...reloads].flatMap(({ name, every, need }) => {
    if ('job' in need) return ofJob(name, need.job, { hippo, jobs: Object.keys(config.jobs) });
    return 'table' in need ? ofTable(name, every, { need, makers }) : [];
  });
  return [...new Set(all)];
}

function ofJob(name: string, job: string, own: { hippo: string; jobs: readonly string[] }): string[] {
  const [hippo, needed = ''] = job.split('/');
  if (hippo !== own.hippo || own.jobs.includes(needed)) return [];
  const meant = didYouMean(needed, own.jobs);
  return [`${name} needs ${job}, and this hippo has no such job${meant === undefined ? '' : `. ${meant}`}`];
}

function ofTable(
  name: string,
  every: JobConfig['every'],
  { need, makers }: { need: TableNeed; makers: readonly Maker[] },
): string[] {
  // With `every: event`, a need takes any partition whose fixed levels fit.
  if (every === 'event' && need.partition === undefined) return [];
  const wanted = Object.keys(need.partition ?? {});
  return makers
    .filter(({ table }) => table.toLowerCase() === need.table.toLowerCase())
    .filter(({ levels }) => !fits(wanted, levels, every))
    .map(
      (maker) =>
        `${name} needs ${need.table} ${byLevels(wanted)}, and ${maker.name} announces it ${byLevels(maker.levels)}: none of its events satisfies the need`,
    );
}

function fits(wanted: readonly string[], levels: readonly string[], every: JobConfig['every']): boolean {
  const known = new Set(levels.map((level) => level.toLowerCase()));
  const areKnown = wanted.every((level) => known.has(level.toLowerCase()));
  return areKnown && (every === 'event' || wanted.length === levels.length);
}

/** `by dt/region` */
function byLevels(levels: readonly string[]): string {
  return levels.length === 0 ? 'unpartitioned' : `by ${levels.join('/')}`;
}

function makersOf({ sources, jobs }: Pick<Config, 'sources' | 'jobs'>): Maker[] {
  const watched = Object.entries(sources).flatMap(([name, source]): Maker[] => {
    const levels = levelsOf(source);
    return levels === null ? [] : [{ name: `the source ${name}`, table: source.table, levels }];
  });
  const produced = Object.entries(jobs).flatMap(([name, { produces = [] }]) =>
    produces.map(({ table, partition = {} }): Maker => ({
      name: `the job ${name}`,
      table,
      levels: Object.keys(partition),
    })),
  );
  return [...watched, ...produced];
}

/** @returns null where an event may have any levels, or the pattern is wrong */
function levelsOf(source: SourceConfig): readonly string[] | null {
  if ('sql' in source) return source.sql.levels;
  if ('http' in source) return source.http.levels ?? null;
  const parsed = parseLevels(source.levels);
  if (!parsed.ok) return null;
  return parsed.levels.filter(({ isPartition }) => isPartition).map(({ text }) => text.split('=')[0] ?? '');
}

function singles(need: NeedConfig): SingleNeedConfig[] {
  if ('any_of' in need) return need.any_of;
  if ('of' in need) return need.of;
  return 'each' in need ? [{ table: need.table, partition: need.partition }] : [need];
}
