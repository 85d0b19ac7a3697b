import { listed } from '../core/listed.ts';
import { visible } from '../core/visible.ts';
import chalk from 'chalk';
import { isoSecond } from '../core/clock.ts';
import { formatDuration, formatSeconds } from '../core/duration.ts';
import { shellWord } from '../core/shell.ts';
import type { NoRun } from '../trigger/no-run.ts';
import { ExitCode, type HippoError } from '../core/errors.ts';
import { formatRecordRef } from '../core/record-ref.ts';
import type { BadLine } from '../trigger/check-lines.ts';
import type { WaitReport } from '../trigger/following.ts';
import type { FollowChange, FollowedRun, FoundPause, OpenRun } from '../trigger/follow.ts';
import type { Unpublished } from '../trigger/losses.ts';
import type { OtherOrder } from '../trigger/order.ts';
import type { TriggerProgress } from '../trigger/progress.ts';
import type { UnknownTable } from '../trigger/tables.ts';
import type { PublishedEvent, TriggerReport } from '../trigger/trigger.ts';
import type { IdleReason } from '../trigger/wait.ts';
import { renderHidden } from './hidden.ts';
import { runName } from './messages.ts';
import { count, number, wrap } from './text.ts';

const EXIT_CODES = {
  succeeded: ExitCode.ok,
  failed: ExitCode.notFine,
  'no-reaction': ExitCode.timeout,
  'timed-out': ExitCode.timeout,
  interrupted: ExitCode.interrupted,
} as const;

/** The exit code of a wait; null: nothing was waited for. */
export function waitVerdict(wait: WaitReport | null): ExitCode {
  return wait === null ? ExitCode.ok : EXIT_CODES[wait.outcome];
}

/** The exit code of all that was asked for. */
export function triggerVerdict({ wait, stopped, unpublished }: TriggerReport): ExitCode {
  if (stopped === 'interrupted' || wait?.outcome === 'interrupted') return ExitCode.interrupted;
  if (unpublished.length > 0) return ExitCode.unreachable;
  if (wait !== null) return waitVerdict(wait);
  return stopped === null ? ExitCode.ok : EXIT_CODES[stopped];
}

/**
 * A single event with its place in two lines; one of several in one:
 * `✓  3/12 btd.party yyyymm=201703  frontier-adw 2:17`
 */
export function renderPublished(event: PublishedEvent, backfill: { total: number } | null): string {
  const { n, table, partition_path, topic, partition, offset } = event;
  const landed = partition_path === '' ? '' : ` ${chalk.cyan(visible(partition_path))}`;
  const name = `${chalk.bold(table === null ? 'a message' : visible(table))}${landed}`;
  if (backfill === null) {
    return `${chalk.green('✓')} Published ${name}\n  topic ${topic}, partition ${partition}, offset ${offset}`;
  }
  const number = `${String(n).padStart(String(backfill.total).length)}/${backfill.total}`;
  return `${chalk.green('✓')} ${number} ${name}  ${chalk.dim(formatRecordRef(event))}`;
}

export function renderSkipped({ line, fault = 'is not an event', reason }: BadLine): string {
  return wrap(`line ${line} ${fault}, skipped: ${visible(reason)}`, `${chalk.yellow('!')} `).join('\n');
}

/** While the others are still being published. */
export function renderGivenUp({ message, why, next: [remedy] }: HippoError): string {
  const because = why === undefined ? '' : ` ${why.replaceAll('\n', ' ')}`;
  return [
    ...wrap(`${message}: its events are not published; the others are.${because}`, `${chalk.yellow('!')} `),
    ...(remedy === undefined ? [] : [`  ${chalk.cyan('→')} ${remedy}`]),
  ].join('\n');
}

/** `✗ 3 events are not published to frontier-adw[1]; the first is line 17.` */
export function renderUnpublished(
  { topic, partition, events, first }: Unpublished,
  isOfFile: boolean,
): string {
  const named =
    first.table === null
      ? ''
      : ` (${[first.table, first.partition_path ?? ''].map(visible).join(' ').trim()})`;
  const verb = events === 1 ? 'is' : 'are';
  const where = `${isOfFile ? 'line' : 'event'} ${number(first.n)}${named}`;
  const which = events === 1 ? `it is ${where}` : `the first is ${where}`;
  return wrap(
    `${count(events, 'event')} ${verb} not published to ${topic}[${partition}]; ${which}.`,
    `${chalk.red('✗')} `,
  ).join('\n');
}

export function renderUnknownTable({ table, near }: UnknownTable): string {
  const meant = near.length === 0 ? '' : ` Did you mean ${near.map(visible).join(' or ')}?`;
  return wrap(`No hippo is known to need ${visible(table)}.${meant}`, `${chalk.yellow('!')} `).join('\n');
}

/** Of events that are published newest first. */
export function renderOtherOrder({ job, order, concurrency }: OtherOrder): string {
  const has = order === 'arrival' ? `concurrency: ${concurrency}` : `order: ${order}`;
  return [
    ...wrap(
      `The runs of ${visible(job)} do not start newest first: it has ${has}. Runs start in the order of the events with`,
      `${chalk.yellow('!')} `,
    ),
    `  ${chalk.cyan('→')} order: arrival, concurrency: 1    (jobs.${visible(job)} in hippo.yaml)`,
  ].join('\n');
}

export function renderFutureDate({ table, partition_path: path }: PublishedEvent, execDate: number): string {
  const landed = `${visible(table ?? 'an event')}${path === '' ? '' : ` ${visible(path)}`}`;
  return [
    ...wrap(
      `${landed} has the exec_date ${isoSecond(execDate)}, which is in the future: hippos ignore later events unless theirs is newer.`,
      `${chalk.yellow('!')} `,
    ),
    `  ${chalk.cyan('→')} hippo trigger … --exec-date ${isoSecond(execDate + 1)}    (for the next event)`,
  ].join('\n');
}

/** `3 of 12 done, 1 failed, 2 running, 7 to publish, about 4 min left` */
export function renderProgress(progress: TriggerProgress): string {
  const left = progress.left === null ? [] : [`about ${formatDuration(roughly(progress.left))} left`];
  if (progress.kind === 'lines') {
    const { published, rate, fraction } = progress;
    const share = fraction === null ? [] : [`${Math.floor(fraction * 100)} %`];
    return [`${number(published)} events`, `${number(Math.round(rate))}/s`, ...share, ...left].join(', ');
  }
  const { total, published, done, failed, running, waiting, remaining } = progress;
  const follows = done + running + waiting > 0;
  return [
    `${number(follows ? done : published)} of ${number(total)} ${follows ? 'done' : 'published'}`,
    ...(failed > 0 ? [`${number(failed)} failed`] : []),
    ...(running > 0 ? [`${number(running)} running`] : []),
    ...(waiting > 0 ? [`${number(waiting)} waiting`] : []),
    ...(remaining > 0 && follows ? [`${number(remaining)} to publish`] : []),
    ...left,
  ].join(', ');
}

/** Estimates are rounded to seconds. */
function roughly(millis: number): number {
  return Math.max(1000, Math.round(millis / 1000) * 1000);
}

/** `▶ etl/load 201704 started`, `✓ etl/load 201704 succeeded in 12 s` */
export function renderChange({ type, run }: FollowChange): string {
  return type === 'started' ? `${chalk.yellow('▶')} ${name(run)} started` : renderRun(run);
}

function renderRun(run: FollowedRun): string {
  const took = run.duration === null ? '' : formatSeconds(run.duration);
  if (run.outcome === 'succeeded')
    return `${chalk.green('✓')} ${name(run)} ${chalk.green('succeeded')} in ${took}${builtWords(run)}`;
  const head = `${chalk.red('✗')} ${name(run)} ${chalk.red('failed')}${took === '' ? '' : ` after ${took}`}`;
  return [
    head,
    ...(run.error ?? '')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => `    ${visible(line)}`),
  ].join('\n');
}

/** `: iris 20261128T234539Z-d2680d is promoted` */
function builtWords({ built }: FollowedRun): string {
  if (built === null) return '';
  const { model, version, promoted } = built;
  const what = promoted ? chalk.green('is promoted') : chalk.yellow('is not promoted');
  return `: ${visible(`${model} ${version}`)} ${what}`;
}

function name({ hippo, job, run_key }: FollowedRun): string {
  return runName(hippo, job, run_key ?? undefined);
}

/** Why nothing happens, and what to do about it. */
export function renderExplanation(explanation: IdleReason): string {
  if (explanation.type === 'no-hippo-runs') {
    return [
      ...wrap(
        `${noneRuns(explanation.down)}: the event stays in its topic until one starts.`,
        `${chalk.yellow('!')} `,
      ),
      `  ${chalk.cyan('→')} hippo run    (in the hippo's project)`,
    ].join('\n');
  }
  if (explanation.type === 'job-paused') {
    const { run } = explanation;
    return [...describePaused(run, run.paused, chalk.yellow('!'), ''), `  ${resumeCommand(run)}`].join('\n');
  }
  if (explanation.type === 'hidden') return renderHidden([explanation.by]).join('\n');
  const { hippo, job, run_key, has } = explanation.run;
  return `${chalk.yellow('!')} ${runName(hippo, job, run_key)} waits for further inputs; it has ${listed(has.map(visible))}`;
}

/** The last lines: the outcome; empty if everything has been printed before. */
export function renderOutcome(report: TriggerReport): string {
  const lines = [
    ...(report.wait === null ? renderEnd(report) : renderWait(report.wait, report)),
    ...(report.next === null ? [] : [`  ${chalk.cyan('→')} ${report.next}`]),
  ];
  return lines.join('\n');
}

function renderEnd({ published, backfill, file, stopped, unpublished }: TriggerReport): string[] {
  const of = backfill === null ? '' : ` of ${number(backfill.total)}`;
  if (stopped !== null) {
    const upTo = backfill === null && file !== null ? `, up to line ${number(file.lines)}` : '';
    return [`${chalk.yellow('!')} Interrupted: ${number(published)}${of} events are published${upTo}.`];
  }
  if (backfill === null && file === null) return [];
  if (
    published === 0 &&
    unpublished.length === 0 &&
    file !== null &&
    (backfill === null || backfill.total === 0)
  )
    return [`${chalk.yellow('!')} ${file.name} has no events: nothing was published.`];
  if (backfill !== null && published === 0 && unpublished.length === 0)
    return [`${chalk.green('✓')} Nothing is left: all events are published.`];
  const skipped = file !== null && file.skipped > 0 ? `, ${count(file.skipped, 'line')} skipped` : '';
  const name = backfill === null ? ` of ${file?.name ?? ''}` : `, backfill ${backfill.id}`;
  const mark = unpublished.length === 0 ? chalk.green('✓') : chalk.yellow('!');
  return [`${mark} Published ${count(published, 'event')}${name}${skipped}.`];
}

/** The outcome of the wait. */
export function renderWait(
  wait: WaitReport,
  { published, backfill, stopped, no_run: noRun }: Waited = SINGLE,
): string[] {
  const { runs, pending, live, down, unanswered, hidden } = wait;
  const total = backfill?.total ?? 1;
  const silent =
    unanswered > 0 && unanswered < published
      ? [
          `${chalk.yellow('!')} ${number(unanswered)} of ${count(published, 'event')} caused no run.`,
          ...whyNot(noRun),
        ]
      : [];
  switch (wait.outcome) {
    case 'succeeded':
      return [...silent, `${chalk.green('✓')} ${count(runs.length, 'run')} succeeded.`];
    case 'failed': {
      const failed = runs.filter(({ outcome }) => outcome === 'failed').length;
      return [
        ...silent,
        `${chalk.red('✗')} ${number(failed)} of ${count(runs.length, 'run')} failed.`,
        `  ${chalk.cyan('→')} hippo tractor`,
      ];
    }
    case 'no-reaction':
      return [
        `${chalk.red('✗')} No hippo reacted.`,
        ...renderHidden(hidden),
        ...(live.length === 0
          ? wrap(`${noneRuns(down)}; the event waits in its topic until one starts.`, '  ')
          : hidden.length > 0
            ? whyNot(noRun)
            : [...whyNot(noRun), ...wrapped(whoHasRead(wait, noRun))]),
        ...(live.length > 0 && noRun.length > 0
          ? []
          : [
              `  ${chalk.cyan('→')} ${live.length === 0 ? "hippo run    (in the hippo's project)" : `hippo tail start --from -1h`}`,
            ]),
      ];
    case 'timed-out':
      return [
        `${chalk.red('✗')} Timed out${stopped === null ? '' : `: ${number(published)} of ${number(total)} events are published`}.`,
        ...stillToCome(wait),
      ];
    case 'interrupted':
      return [
        stopped === null
          ? `${chalk.yellow('!')} Interrupted: ${count(published, 'event')} published, not waited for any longer.`
          : `${chalk.yellow('!')} Interrupted: ${number(published)} of ${number(total)} events are published.`,
        ...(pending.running.length > 0 || pending.open.some(({ paused }) => paused !== null)
          ? stillToCome(wait)
          : []),
      ];
  }
}

/** `etl has read it, and none of its needs matches: …. No client of load runs.` */
function whoHasRead({ live, readers: all, down }: WaitReport, noRun: readonly NoRun[]): string {
  const others = live.filter((hippo) => !all.includes(hippo));
  const readers = all.filter((hippo) => !noRun.some((found) => found.hippo === hippo));
  return [
    ...(readers.length === 0 ? [] : [noMatch(readers)]),
    ...(others.length === 0 ? [] : [`${names(others)} ${others.length === 1 ? 'has' : 'have'} not read it.`]),
    ...(down.length === 0 ? [] : [`${noneRuns(down)}.`]),
  ].join(' ');
}

/** Only a hippo's hippo.yaml tells which of the reasons it is; of conditions its client's log does, too. */
function noMatch(readers: readonly string[]): string {
  const isOne = readers.length === 1;
  return (
    `${names(readers)} ${isOne ? 'has' : 'have'} read it, and none of ${isOne ? 'its' : 'their'} needs matches: ` +
    'the table, the levels of the partition or its date differ, or a condition (when) is false. ' +
    `The log of ${isOne ? 'its client' : 'their clients'} names the conditions that were false.`
  );
}

/** Of an empty text no line. */
function wrapped(text: string): string[] {
  return text === '' ? [] : wrap(text, '  ');
}

/** @param down the hippos of which no client runs */
function noneRuns(down: readonly string[]): string {
  return down.length === 0 ? 'No hippo is running' : `No client of ${names(down)} runs`;
}

/** Why jobs do not run because of what was published, and what helps. */
function whyNot(noRun: readonly NoRun[]): string[] {
  const more = noRun.length - NAMED;
  return [
    ...noRun
      .slice(0, NAMED)
      .flatMap((found) => [...wrap(reasonOf(found), '  '), `  ${chalk.cyan('→')} ${remedyOf(found)}`]),
    ...(more > 0 ? [`  … and ${number(more)} more; --json lists them all`] : []),
  ];
}

function reasonOf({
  hippo,
  job,
  table,
  partition_path: path,
  reason,
  landing,
  run,
  ...event
}: NoRun): string {
  const landed = `${visible(table)}${path === '' ? '' : ` ${visible(path)}`}`;
  const ended =
    run === null
      ? ''
      : ` Run ${visible(run.run_key)} ${VERBS[run.status] ?? `is ${run.status}`}${at(run.finished_at)}.`;
  switch (reason) {
    case 'not-newer':
      return (
        `${hippo}/${job} ignores ${landed}: its exec_date ${isoSecond(event.exec_date)} is not newer than that of the landing ` +
        `${isoSecond(landing.exec_date)} (${formatRecordRef(landing)}).${ended}`
      );
    case 're-landing':
      return `${hippo}/${job} ignores ${landed}: it landed again after its run, and the job has on_reland: ignore.${ended}`;
    case 'kept':
      return `${hippo}/${job} remembers ${landed}, but no run waits for it.`;
  }
}

const VERBS: Readonly<Record<string, string>> = {
  succeeded: 'succeeded',
  failed: 'failed',
  cancelled: 'was cancelled',
  'timed-out': 'timed out',
};

function at(time: string | null): string {
  return time === null ? '' : ` at ${time.slice(0, 19)}Z`;
}

function remedyOf({ hippo, job, table, partition_path: path, reason, landing, run }: NoRun): string {
  if (reason === 'kept') return `hippo simulate    (in the project of ${hippo})`;
  if (reason === 're-landing')
    return `hippo job run ${shellWord(`${hippo}/${job}`)}${run === null ? '' : ` --key ${shellWord(run.run_key)}`}`;
  const levels = path === '' ? '' : ` --partition ${path.split('/').map(shellWord).join(' --partition ')}`;
  // A landing in the future is newer than now.
  const isFuture = landing.exec_date * 1000 >= Date.now();
  const date = isFuture ? isoSecond(landing.exec_date + 1) : 'now';
  return `hippo trigger --table ${shellWord(table)}${levels} --exec-date ${date}`;
}

type Waited = Pick<TriggerReport, 'published' | 'backfill' | 'stopped' | 'no_run'>;

const SINGLE: Waited = { published: 1, backfill: null, stopped: null, no_run: [] };

/** At most this many of a kind are named; the others are counted. */
const NAMED = 5;

/** `… etl/load 201704 is ready, but its job is paused by ann@desk since 2017-04-28T15:55:46Z: disk full` */
function describePaused(
  { hippo, job, run_key }: OpenRun,
  { by, reason, since }: FoundPause,
  sign: string,
  indent: string,
): string[] {
  const who = by === null || by === '' ? '' : ` by ${visible(by)}`;
  const when = since === null ? '' : ` since ${since.slice(0, 19)}Z`;
  const why = reason === null || reason === '' ? '' : `: ${visible(reason)}`;
  const text = `${runName(hippo, job, run_key)} is ready, but its job is paused${who}${when}${why}`;
  return wrap(text, `${indent}${sign} `);
}

function resumeCommand({ hippo, job }: Pick<OpenRun, 'hippo' | 'job'>): string {
  return `${chalk.cyan('→')} hippo job resume ${shellWord(`${hippo}/${job}`)}`;
}

function stillToCome({ pending, live, down, hidden }: WaitReport): string[] {
  const paused = pending.open.filter((run) => run.paused !== null);
  const resumes = [...new Set(paused.map((run) => `  ${resumeCommand(run)}`))];
  // Between two attempts its state is ready, and its finish still to come.
  const isReady = (run: FollowedRun): boolean =>
    pending.open.some(({ status, ...open }) => status === 'ready' && isSame(open, run));
  const lines = [
    ...some(
      pending.running.filter((run) => !isReady(run)),
      (run) =>
        `  ${chalk.yellow('▶')} ${name(run)} is still running${live.includes(run.hippo) ? '' : `, but ${run.hippo} is not`}`,
    ),
    ...some(paused, (run) =>
      (run.paused === null ? [] : describePaused(run, run.paused, chalk.yellow('…'), '  ')).join('\n'),
    ),
    ...some(
      pending.open.filter((run) => run.status !== 'running' && run.paused === null),
      ({ hippo, job, run_key, status, has }) =>
        status === 'waiting'
          ? `  ${chalk.yellow('…')} ${runName(hippo, job, run_key)} waits for further inputs; it has ${listed(has.map(visible))}`
          : `  ${chalk.yellow('…')} ${runName(hippo, job, run_key)} is ready, ${pending.running.some((run) => isSame({ hippo, job, run_key }, run)) ? 'and waits for its next attempt' : 'not yet started'}`,
    ),
    ...pending.undecided.map((hippo) => `  ${chalk.yellow('…')} ${hippo} has not read it yet`),
    ...(live.length === 0 ? wrap(`${noneRuns(down)}.`, '  ') : []),
    ...renderHidden(hidden),
  ];
  // Where only pauses hold back what is still to come, nothing is wrong that doctor could find.
  const isAllPaused =
    paused.length > 0 &&
    paused.length === pending.open.length &&
    pending.undecided.length === 0 &&
    live.length > 0 &&
    hidden.length === 0 &&
    pending.running.every(isReady);
  return [...lines, ...resumes, ...(isAllPaused ? [] : [`  ${chalk.cyan('→')} hippo doctor`])];
}

function isSame(
  { hippo, job, run_key: key }: Pick<OpenRun, 'hippo' | 'job' | 'run_key'>,
  run: FollowedRun,
): boolean {
  return run.hippo === hippo && run.job === job && run.run_key === key;
}

function names(hippos: readonly string[]): string {
  const more = hippos.length - NAMED;
  return more > 1 ? `${hippos.slice(0, NAMED).join(', ')} and ${more} others` : hippos.join(', ');
}

function some<Item>(items: readonly Item[], render: (item: Item) => string): string[] {
  const more = items.length - NAMED;
  return [...items.slice(0, NAMED).map(render), ...(more > 0 ? [`  … and ${number(more)} more`] : [])];
}
