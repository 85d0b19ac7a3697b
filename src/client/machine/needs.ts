import type { Millis } from '../../core/clock.ts';
import type { SingleNeedConfig } from '../../config/schema.ts';
import {
  type FrontierEvent,
  type JobFinish,
  type Partition,
  partitionPath,
  partitionValues,
} from '../../messages/index.ts';
import {
  type Calendar,
  type DatePattern,
  type PartitionTemplate,
  type Piece,
  type TemplateProblem,
  type TemplateResult,
  type Window,
  compilePartition,
  compilePieces,
  datePattern,
} from '../../windows/index.ts';
import { type NeedCondition, compileNeedCondition } from './condition.ts';
import {
  type FixedLevel,
  jobSubject,
  type Landing,
  type Need,
  type Slot,
  tableSubject,
} from './definition.ts';
import type { CompiledNeed, NeedContext, NeedProblem } from './compiled-need.ts';
import { compileMessageNeed } from './message-need.ts';
import { type WindowUnit, isFiner } from '../../windows/units.ts';
import { bounded } from './text.ts';
import { nativeOf } from '../../core/json.ts';

export function compileNeed(config: SingleNeedConfig, context: NeedContext): CompiledNeed {
  if ('topic' in config) {
    const where = compileCondition(config.where, 'where', context);
    return where.ok ? compileMessageNeed(config.topic, where.condition, context) : where;
  }
  const when = compileCondition(config.when, 'when', context);
  const compiled =
    'table' in config ? compileTable(config.table, config.partition, context) : compileJob(config, context);
  if (!when.ok || !compiled.ok)
    return { ok: false, problems: [...problemsOf(compiled), ...problemsOf(when)] };
  const { condition } = when;
  return condition === undefined ? compiled : { ok: true, need: { ...compiled.need, when: condition } };
}

function problemsOf(result: { ok: true } | { ok: false; problems: NeedProblem[] }): NeedProblem[] {
  return result.ok ? [] : result.problems;
}

/** @param key under which the expression stands in the need */
function compileCondition(
  expression: string | undefined,
  key: 'when' | 'where',
  { compileCondition: compile }: NeedContext,
): { ok: true; condition: NeedCondition | undefined } | { ok: false; problems: NeedProblem[] } {
  if (expression === undefined) return { ok: true, condition: undefined };
  if (compile === undefined) throw new TypeError('hippo.yaml has conditions, and no compiler was given');
  const compiled = compileNeedCondition(expression, compile);
  return compiled.ok
    ? { ok: true, condition: compiled.value }
    : { ok: false, problems: [problemAt([key], compiled)] };
}

/** A level of a partition that must have this value. */
type Fixed = readonly [name: string, value: string];

function compileTable(
  table: string,
  partition: Readonly<Record<string, string>> | undefined,
  context: NeedContext,
): CompiledNeed {
  const problems: NeedProblem[] = [];
  const levels: { name: string; pieces: readonly Piece[] }[] = [];
  for (const [name, source] of Object.entries(partition ?? {})) {
    const pieces = compileLevel(source, context);
    if (pieces.ok) levels.push({ name, pieces: pieces.value });
    else problems.push(problemAt(['partition', name], pieces));
  }
  if (problems.length > 0) return { ok: false, problems };

  const { calendar, unit } = context;
  const fixed = levels.flatMap(({ name, pieces }): Fixed[] =>
    isLiteral(pieces) ? [[name, pieces.join('')]] : [],
  );
  const [db = '', ...rest] = table.split('.');
  const base = {
    id: table + braced(fixed),
    subject: tableSubject(db, rest.join('.')),
    dates: 'exec_date' as const,
    fixed: levels.flatMap(({ name, pieces }, at): FixedLevel[] =>
      isLiteral(pieces) ? [{ name, value: pieces.join(''), at }] : [],
    ),
  };
  if (unit === null) return { ok: true, need: { ...base, ...eventTable(fixed, calendar) } };
  if (fixed.length === levels.length)
    return { ok: true, need: { ...base, ...datedTable(fixed, calendar, unit) } };

  const pieces = levels.map((level) => level.pieces);
  const template = compilePartition(pieces, calendar, unit);
  if (!template.ok) return { ok: false, problems: [problemAt(['partition'], template)] };
  const names = levels.map(({ name }) => name);
  return { ok: true, need: { ...base, ...partitionedTable(names, template.value) } };
}

function compileLevel(source: string, { calendar, unit, names }: NeedContext): TemplateResult<Piece[]> {
  const pieces = compilePieces(source, names, calendar.units.runnable(unit ?? 'day').window.key);
  if (unit !== null || !pieces.ok || isLiteral(pieces.value)) return pieces;
  return {
    ok: false,
    message: 'a job with "every: event" has no window',
    allowed: 'text without {{ window }}',
  };
}

function isLiteral(pieces: readonly Piece[]): pieces is readonly string[] {
  return pieces.every((piece) => typeof piece === 'string');
}

/** `{region=us}`: the same table may be needed several times. */
function braced(fixed: readonly Fixed[]): string {
  return fixed.length === 0
    ? ''
    : `{${fixed.map(([name, value]) => partitionPath([{ name, value }])).join(',')}}`;
}

function problemAt(path: (string | number)[], { message, allowed }: TemplateProblem): NeedProblem {
  return { path, message, ...(allowed === undefined ? {} : { allowed }) };
}

type Matching = Omit<Need, 'id' | 'subject' | 'fixed' | 'dates'>;
type Undated = Omit<Landing, 'version'>;

/** Needs of a table see frontier messages, one partition at a time. */
function landingsOf(read: (partition: Partition, execDate: Millis) => Undated | undefined): Need['landings'] {
  const ofEvent = ({ partitions, execDate }: FrontierEvent): Landing[] =>
    partitions.flatMap((partition) => {
      const landing = read(partition, execDate * 1000);
      return landing === undefined ? [] : [{ ...landing, version: execDate }];
    });
  return ({ message }) => (message.kind === 'frontier' ? ofEvent(message) : []);
}

/**
 * `every: event`: the levels that the need does not fix name the run, so that the needs of a job join on them. An
 * unpartitioned table names it by its exec_date: every landing is a run of its own.
 */
function eventTable(fixed: readonly Fixed[], calendar: Calendar): Matching {
  return {
    identifiesRun: true,
    landings: landingsOf((partition, execDate) => {
      const free = withoutFixed(partition, fixed);
      if (free === undefined) return undefined;
      const key =
        partition.length === 0 ? calendar.iso(execDate) : partitionPath(free.length === 0 ? partition : free);
      return eventLanding(bounded(key), partitionValues(partition));
    }),
    expects: ({ key }) => key,
  };
}

function eventLanding(key: string, values: Readonly<Record<string, string>>): Undated {
  return { value: key, values, slots: [{ key, window: null }] };
}

/** A table without a date in its partition lands in the window of its exec_date. */
function datedTable(fixed: readonly Fixed[], calendar: Calendar, unit: WindowUnit): Matching {
  return {
    identifiesRun: true,
    landings: landingsOf((partition, execDate) => {
      if (withoutFixed(partition, fixed)?.length !== 0 || !calendar.holds(execDate)) return undefined;
      const slot = slotOf(calendar.at(unit, execDate));
      return { value: slot.key, values: partitionValues(partition), slots: [slot] };
    }),
    expects: ({ key }) => key,
  };
}

/** A table whose partition is named by the window's date. */
function partitionedTable(names: readonly string[], template: PartitionTemplate): Matching {
  const path = (values: readonly string[]): string => partitionPath(zip(names, values));
  return {
    identifiesRun: template.identifiesOneWindow,
    landings: landingsOf((partition) => {
      const values = inOrder(partition, names);
      const slots = values === undefined ? [] : template.windows(values).map(slotOf);
      if (values === undefined || slots.length === 0) return undefined;
      return { value: path(values), values: partitionValues(zip(names, values)), slots };
    }),
    expects: ({ window }) => (window === null ? '' : path(template.render(window))),
  };
}

function compileJob(config: { job: string; key?: string | undefined }, context: NeedContext): CompiledNeed {
  const { calendar, unit, names } = context;
  const [hippo = '', job = ''] = config.job.split('/');
  const base = {
    id: config.job,
    subject: jobSubject(hippo, job),
    dates: 'finish time' as const,
    fixed: [],
  };
  if (config.key === undefined) {
    return {
      ok: true,
      need: { ...base, ...(unit === null ? eventJob(calendar) : sameWindowJob(calendar, unit)) },
    };
  }
  const problem = (found: TemplateProblem): CompiledNeed => ({
    ok: false,
    problems: [problemAt(['key'], found)],
  });
  if (unit === null)
    return problem({ message: 'with "every: event" a run has the key of the run that it needs' });
  const { key: unformatted, noun } = calendar.units.runnable(unit).window;
  const pieces = compilePieces(config.key, names, unformatted);
  if (!pieces.ok) return problem(pieces);
  if (isLiteral(pieces.value)) return problem({ message: `"${config.key}" is the same for every ${noun}` });
  const template = compilePartition([pieces.value], calendar, unit);
  return template.ok
    ? { ok: true, need: { ...base, ...keyedJob(template.value, calendar, unit) } }
    : problem(template);
}

/** Needs of a job see its successful finishes. */
function finishesOf(read: (finish: JobFinish) => Undated | undefined): Need['landings'] {
  return ({ message }) => {
    if (message.kind !== 'finish' || !message.isSuccess) return [];
    const landing = read(message);
    return landing === undefined ? [] : [{ ...landing, version: message.finishTime }];
  };
}

/** A finish names its run by run_key; those of other makers by execute_time or, last, by when they ended. */
function eventJob(calendar: Calendar): Matching {
  return {
    identifiesRun: true,
    landings: finishesOf((finish) =>
      eventLanding(
        bounded(finish.runKey ?? executeTime(finish) ?? calendar.iso(finish.finishTime * 1000)),
        {},
      ),
    ),
    expects: ({ key }) => key,
  };
}

function sameWindowJob(calendar: Calendar, unit: WindowUnit): Matching {
  return {
    identifiesRun: true,
    landings: finishesOf((finish) => {
      const window =
        finish.runKey === undefined ? windowOf(finish, calendar, unit) : calendar.ofKey(unit, finish.runKey);
      return window === undefined ? undefined : { value: window.key, values: {}, slots: [slotOf(window)] };
    }),
    expects: ({ key }) => key,
  };
}

function keyedJob(template: PartitionTemplate, calendar: Calendar, unit: WindowUnit): Matching {
  const keyFor = (window: Window): string => template.render(window)[0] ?? '';
  return {
    identifiesRun: template.identifiesOneWindow,
    landings: finishesOf((finish) => {
      const window = finish.runKey === undefined ? windowOf(finish, calendar, unit) : undefined;
      const key = window === undefined ? finish.runKey : keyFor(window);
      const slots = key === undefined ? [] : template.windows([key]).map(slotOf);
      return key === undefined || slots.length === 0 ? undefined : { value: key, values: {}, slots };
    }),
    expects: ({ window }) => (window === null ? '' : keyFor(window)),
  };
}

/** The window of a finish that carries no run_key, if its time is in one. */
function windowOf(finish: JobFinish, calendar: Calendar, unit: WindowUnit): Window | undefined {
  const day = EXECUTE_DAY.parse(executeTime(finish) ?? '');
  const [window] = day === undefined || isFiner(unit, 'day') ? [] : calendar.ofDate(unit, day);
  const at = finish.finishTime * 1000;
  return window ?? (calendar.holds(at) ? calendar.at(unit, at) : undefined);
}

const EXECUTE_DAY = datePattern('%Y%m%d') as DatePattern;

/** The date that a job worked for, yyyymmdd. It may become a run key, so a value that is not a short printable text is ignored. */
function executeTime(finish: JobFinish): string | undefined {
  const value = finish.extra['execute_time'];
  const text = typeof value === 'string' ? value : String(nativeOf(value) ?? '');
  return /^\P{C}{1,64}$/u.test(text) && text.trim() !== '' ? text : undefined;
}

function slotOf(window: Window): Slot {
  return { key: window.key, window };
}

/** The levels that the need leaves open; undefined where a fixed one differs or is missing. */
function withoutFixed(partition: Partition, fixed: readonly Fixed[]): Partition | undefined {
  const rest = [...partition];
  for (const [name, value] of fixed) {
    const at = rest.findIndex((level) => sameName(level.name, name) && level.value === value);
    if (at === -1) return undefined;
    rest.splice(at, 1);
  }
  return rest;
}

/** The partition's values in the order of the names; by position where the dialect carries no names. */
function inOrder(partition: Partition, names: readonly string[]): string[] | undefined {
  if (partition.length !== names.length) return undefined;
  if (partition.every(({ name }) => name === '')) return partition.map(({ value }) => value);
  const values = names.map((name) => partition.find((level) => sameName(level.name, name))?.value);
  return values.every((value) => value !== undefined) ? values : undefined;
}

function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function zip(names: readonly string[], values: readonly string[]): Partition {
  return names.map((name, level) => ({ name, value: values[level] ?? '' }));
}
