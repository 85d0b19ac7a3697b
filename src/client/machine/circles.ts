/**
 * Circles of jobs that need what they produce: `a` needs a table that `b` produces, and `b` one that `a` produces. Where all of
 * these needs are of the same window no such run can begin, or none ends: each success lands again what the next one needs.
 * Where one of them is of another window (today's snapshot from yesterday's) a run follows another, as it should.
 */
import type { HippoMessage, JobFinish, Partition } from '../../messages/types.ts';
import { type Calendar, WindowDate } from '../../windows/index.ts';
import { circularNodes } from '../../core/circular.ts';
import { parsePartitionPath } from '../../messages/index.ts';
import { type Arrived, arrivedOf } from './arrival.ts';
import {
  type JobDefinition,
  type Need,
  type OutputDefinition,
  type Slot,
  jobSubject,
  tableSubject,
} from './definition.ts';
import { outputEvent } from './outputs.ts';

interface Jobs {
  hippo: string;
  calendar: Calendar;
  jobs: readonly JobDefinition[];
}

/** A job that needs something, and the job that makes it. */
interface Link {
  from: JobDefinition;
  need: Need;
  /** `db.table`, `hippo/job` */
  what: string;
  to: JobDefinition;
  /** What is needed is a run of `to`, not a table that it produces. */
  isRun: boolean;
}

/** A circle of jobs, by its first need in the file. */
export interface Circle {
  job: string;
  need: Need;
  /** `a needs dm.x, which b produces; b needs dm.y, which a produces` */
  text: string;
}

/** Times whose windows are looked at: the first and the last of a month, and a day like others. */
const SAMPLES = [Date.UTC(2025, 0, 1), Date.UTC(2024, 1, 29, 23), Date.UTC(2025, 6, 16, 12)];

/** Finds one circle of each set of jobs that are in circles. */
export function findCircles(all: Jobs): Circle[] {
  const jobs = mayBeCircular(all);
  const needs = jobs.flatMap((job) => job.needs.map((need) => ({ job, need })));
  const bySubject = Map.groupBy(needs, ({ need }) => need.subject);
  const found: Circle[] = [];
  const inCircle = new Set<JobDefinition>();
  for (const sample of jobs.length === 0 ? [] : SAMPLES) {
    const links = circularLinks(jobs, linksAt({ ...all, jobs }, bySubject, sample));
    for (const job of jobs) {
      const circle = inCircle.has(job) ? undefined : shortestCircle(job, links);
      const [first] = circle ?? [];
      if (circle === undefined || first === undefined) continue;
      for (const { from } of circle) inCircle.add(from);
      found.push({ job: job.name, need: first.need, text: circle.map(describeLink).join('; ') });
    }
  }
  return found;
}

/** Those that are in a circle if any partition and any run is taken for what is needed: most projects have none. */
function mayBeCircular({ hippo, jobs }: Jobs): JobDefinition[] {
  const makers = Map.groupBy(
    jobs.flatMap((job) => [
      { subject: jobSubject(hippo, job.name), job },
      ...job.outputs.map(({ db, table }) => ({ subject: tableSubject(db, table), job })),
    ]),
    ({ subject }) => subject,
  );
  const makersFor = ({ needs }: JobDefinition): JobDefinition[] =>
    [...new Set(needs.map(({ subject }) => subject))].flatMap((subject) =>
      (makers.get(subject) ?? []).map(({ job }) => job),
    );
  const circular = circularNodes(jobs, makersFor);
  return jobs.filter((job) => circular.has(job));
}

type LinksByJob = ReadonlyMap<JobDefinition, readonly Link[]>;

/** Those from which a way leads back. */
function circularLinks(jobs: readonly JobDefinition[], links: readonly Link[]): LinksByJob {
  const all = Map.groupBy(links, ({ from }) => from);
  const group = circularNodes(jobs, (job) => (all.get(job) ?? []).map(({ to }) => to));
  const circular = links.filter(({ from, to }) => group.has(from) && group.get(from) === group.get(to));
  return Map.groupBy(circular, ({ from }) => from);
}

function describeLink({ from, what, to, isRun }: Link): string {
  return isRun ? `${from.name} needs ${what}` : `${from.name} needs ${what}, which ${to.name} produces`;
}

type NeedsBySubject = ReadonlyMap<string, readonly { job: JobDefinition; need: Need }[]>;

/** The links between runs of the windows of one time. */
function linksAt(of: Jobs, needs: NeedsBySubject, at: number): Link[] {
  const { hippo, calendar, jobs } = of;
  const slotOf = ({ unit }: JobDefinition): Slot => {
    if (unit === null) return { key: '', window: null };
    const window = calendar.at(unit, at);
    return { key: window.key, window };
  };
  return jobs.flatMap((to): Link[] => {
    const slot = slotOf(to);
    const ofTables = to.outputs.flatMap((output): Link[] => {
      const what = `${output.db}.${output.table}`;
      const needing = needs.get(tableSubject(output.db, output.table)) ?? [];
      if (needing.length === 0) return [];
      const levels = renderedLevels(of, to, slot, output);
      return needing
        .filter(({ job, need }) => {
          const partition = guessed(levels, need, slotOf(job));
          const event = outputEvent(output, partition, at / 1000);
          return serves(need, slotOf(job), arrivedAt(event, at, calendar));
        })
        .map(({ job, need }) => ({ from: job, need, what, to, isRun: false }));
    });
    const finish = arrivedAt(finishOf(hippo, to.name, slot), at, calendar);
    const ofRuns = (needs.get(jobSubject(hippo, to.name)) ?? [])
      .filter(({ job, need }) => serves(need, slotOf(job), finish))
      .map(({ job, need }): Link => ({ from: job, need, what: `${hippo}/${to.name}`, to, isRun: true }));
    return [...ofTables, ...ofRuns];
  });
}

/** As if it had come at that time; what a condition says of it is not known. */
function arrivedAt(message: HippoMessage, at: number, calendar: Calendar): Arrived {
  const from = { topic: message.kind, partition: 0, offset: '0' };
  return arrivedOf({ type: 'message', at, from, message }, calendar);
}

/** Whether the message is one that the run of this slot needs; of a job without windows, any run. */
function serves(need: Need, { key, window }: Slot, arrived: Arrived): boolean {
  return need
    .landings(arrived)
    .some(({ slots }) => window === null || slots.some((slot) => slot.key === key));
}

/** A level of an output as a run would write it; null: only a run can tell. */
interface RenderedLevel {
  name: string;
  value: string | null;
  needsResult: boolean;
}

function renderedLevels(
  { hippo, calendar }: Jobs,
  job: JobDefinition,
  slot: Slot,
  { levels }: OutputDefinition,
): RenderedLevel[] {
  const inputs = job.needs.map((need) => [need.id, levelsOf(need.expects(slot))] as const);
  const context = {
    hippo,
    job: job.name,
    key: slot.key,
    window: slot.window === null ? undefined : WindowDate.of(slot.window, calendar.units),
    partition: Object.assign({}, ...inputs.map(([, values]) => values).reverse()) as Record<string, string>,
    needs: Object.fromEntries(inputs),
    result: undefined,
  };
  return levels.map(({ name, value }) => {
    const rendered = value.render(context);
    return { name, value: rendered.ok ? rendered.value : null, needsResult: value.needsResult };
  });
}

/**
 * The partition that an output may be. What only a run can tell is taken to be what the need fixes, or what it expects where the
 * value comes from an input, for such a value is passed on from one job to the next. Of a result nothing is known.
 */
function guessed(levels: readonly RenderedLevel[], need: Need, needed: Slot): Partition {
  const expected = levelsOf(need.expects(needed));
  return levels.map(({ name, value, needsResult }) => {
    if (value !== null) return { name, value };
    const fixed = need.fixed.find((level) => level.name.toLowerCase() === name.toLowerCase())?.value;
    return { name, value: fixed ?? (needsResult ? undefined : expected[name]) ?? 'any' };
  });
}

function levelsOf(path: string): Record<string, string> {
  return Object.fromEntries(
    (parsePartitionPath(path) ?? [])
      .filter(({ name }) => name !== '')
      .map(({ name, value }) => [name, value]),
  );
}

function finishOf(hippo: string, job: string, { key }: Slot): JobFinish {
  return {
    kind: 'finish',
    hippoName: hippo,
    jobName: job,
    jobId: `${job}_0`,
    isSuccess: true,
    finishTime: 0,
    durationTime: 0,
    runKey: key,
    extra: {},
  };
}

/** The shortest way from a job back to it. */
function shortestCircle(start: JobDefinition, links: LinksByJob): Link[] | undefined {
  const cameBy = new Map<JobDefinition, Link>();
  const jobs = [start];
  for (const job of jobs) {
    for (const link of links.get(job) ?? []) {
      if (link.to === start) return wayTo(link, cameBy);
      if (cameBy.has(link.to)) continue;
      cameBy.set(link.to, link);
      jobs.push(link.to);
    }
  }
  return undefined;
}

function wayTo(last: Link, cameBy: ReadonlyMap<JobDefinition, Link>): Link[] {
  const way: Link[] = [];
  for (let link: Link | undefined = last; link !== undefined; link = cameBy.get(link.from)) way.push(link);
  return way.reverse();
}
