import chalk from 'chalk';
import { formatDuration } from '../core/duration.ts';
import { visible, visibleLines } from '../core/visible.ts';
import { listed } from '../core/listed.ts';
import { formatRecordRef } from '../core/record-ref.ts';
import type { ClientEvent, LoggedRun } from '../client/host/client-event.ts';
import { lineColumns } from './terminal.ts';
import { wrap } from './text.ts';

/** Prints the client's events: for people to stderr, with `json` as NDJSON to stdout. */
export function clientLog({ json }: { json: boolean }): (event: ClientEvent) => void {
  const { stdout, stderr } = process;
  return (event) => {
    const at = new Date();
    const line = json ? clientEventJson(event, at) : renderClientEvent(event, at, lineColumns(stderr));
    if (line !== '') (json ? stdout : stderr).write(`${line}\n`);
  };
}

const TAIL_LINES = 3;
const INDENT = ' '.repeat(11);

/**
 * One line an event (a failure also has the end of the job's log), with the time of day. Empty: nothing that people need.
 *
 * @param columns of the terminal, at which lines are broken between words; undefined off a terminal, where they are not broken
 */
export function renderClientEvent(event: ClientEvent, at: Date, columns?: number): string {
  const [mark, text] = describe(event);
  if (text === '') return '';
  const [first = '', ...more] = text.split('\n');
  const time = chalk.dim(at.toTimeString().slice(0, 8));
  const head = `${time} ${mark} `;
  return [
    ...(columns === undefined ? [`${head}${first}`] : wrap(first, head, INDENT, columns)),
    ...more.map((line) => `${INDENT}${chalk.dim(line)}`),
  ].join('\n');
}

/** The same event for machines: NDJSON. */
function clientEventJson(event: ClientEvent, at: Date): string {
  return JSON.stringify({ at: at.toISOString(), ...event });
}

function describe(event: ClientEvent): [mark: string, text: string] {
  switch (event.event) {
    case 'started': {
      const http = event.http === null ? '' : `, http://${event.http}`;
      return [
        chalk.cyan('▸'),
        `${chalk.bold(event.hippo)} started, pid ${event.pid}, Kafka at ${event.brokers.join(', ')}${http}`,
      ];
    }
    case 'standby':
      return [chalk.dim('·'), `standby: another client owns ${event.group}`];
    case 'owner':
      return [chalk.cyan('▸'), `owner of ${event.group}: ${ownership(event)}`];
    case 'lost':
      return [chalk.yellow('!'), `no longer the owner: ${visible(event.reason)}`];
    case 'disconnected':
      return [chalk.yellow('!'), `Kafka is away, jobs go on: ${visible(oneLine(event.reason))}`];
    case 'connected':
      return [chalk.green('✓'), 'Kafka is back'];
    case 'input':
      return [
        chalk.cyan('→'),
        `${visible(event.input)}${event.runs.length === 0 ? '' : ` → ${runList(event.runs)}`}`,
      ];
    case 'rejected': {
      const key = event.key === undefined ? '' : `${event.key} `;
      const fate = event.dlq === null ? 'is rejected, without a dead letter' : `→ ${event.dlq}`;
      return [chalk.yellow('!'), `${formatRecordRef(event)} ${fate}: ${visible(`${key}${event.reason}`)}`];
    }
    case 'gap':
      return [chalk.yellow('!'), describeGap(event)];
    case 'submitted':
      return [
        chalk.cyan('▸'),
        `${name(event)} submitted${attempt(event.attempt)}, pid ${event.pid}, log ${relativeLog(event.log)}`,
      ];
    case 'ended':
      return describeEnd(event);
    case 'finished':
      return ['', ''];
    case 'notice':
      return [
        event.level === 'info' ? chalk.dim('·') : chalk.yellow('!'),
        visibleLines(`${subjectOf(event)}${event.text}`),
      ];
    case 'produced':
      return [
        chalk.dim('·'),
        `${name(event)} produced ${visible(`${event.table} ${event.partition}`.trimEnd())}`,
      ];
    case 'announced':
      return [chalk.dim('·'), visible(describeAnnounced(event))];
    case 'service': {
      const port = event.port === null ? '' : `, port ${event.port}`;
      return event.status === 'ready'
        ? [chalk.green('✓'), `service ${chalk.bold(event.service)} is ready`]
        : [
            chalk.cyan('▸'),
            `service ${chalk.bold(event.service)} started, pid ${event.pid}${port}, log ${relativeLog(event.log)}`,
          ];
    }
    case 'delivered':
      // A failure is told by a notice, once.
      return event.outcome === 'taken'
        ? [chalk.dim('·'), `${event.receiver} has taken ${count(event.alerts, 'alert')}`]
        : ['', ''];
    case 'listening':
      return [chalk.dim('·'), visible(`${event.source} takes reports of landings at ${event.url}`)];
    case 'stopping':
      return [
        chalk.dim('·'),
        `${event.signal}: stopping${event.running === 0 ? '' : `, ending ${count(event.running, 'job')}`}${again(event)}`,
      ];
    case 'stopped':
      return [chalk.dim('·'), 'stopped'];
  }
}

/** `load 201704: `; empty where the text names the run, or there is none. */
function subjectOf({ job, run_key: key = '', text }: Extract<ClientEvent, { event: 'notice' }>): string {
  const name = `${job ?? ''} ${key}`;
  return job === undefined || text.includes(name) ? '' : `${name}: `;
}

/** `orders announced shop.orders dt=2017-04-27, dt=2017-04-28` */
function describeAnnounced({
  source,
  table,
  landings,
}: Extract<ClientEvent, { event: 'announced' }>): string {
  const partitions = landings.map(({ partition }) => partition).filter((path) => path !== '');
  return `${source} announced ${[table, listed(partitions)].join(' ').trimEnd()}`;
}

function describeGap({ topic, partition, from, to, cause }: Extract<ClientEvent, { event: 'gap' }>): string {
  const where = `${topic}[${partition}]`;
  switch (cause) {
    case 'removed':
      return `${where}: messages ${from} to ${BigInt(to) - 1n} were removed, by retention or by hand, before they were read`;
    case 'shorter':
      return `${where}: the log is shorter than what was read of it; was the topic made anew? Reading it from its beginning`;
    case 'made-again':
      return `${where}: the topic was deleted and made again; reading it from its beginning`;
  }
}

function describeEnd(event: Extract<ClientEvent, { event: 'ended' }>): [string, string] {
  const after = formatDuration(event.duration_ms);
  const [what = '', ...log] = visibleLines(event.error ?? '').split('\n');
  const again =
    event.next_attempt_at === undefined ? '' : `; next attempt ${event.next_attempt_at.slice(0, 19)}Z`;
  switch (event.outcome) {
    case 'succeeded':
      return [chalk.green('✓'), `${name(event)} succeeded after ${after}${attempt(event.attempt)}`];
    case 'failed':
      return [
        chalk.red('✗'),
        [
          `${name(event)} failed after ${after}${attempt(event.attempt)}: ${what}${again}`,
          ...log.slice(-TAIL_LINES),
        ].join('\n'),
      ];
    case 'cancelled':
    case 'vetoed':
      return [chalk.yellow('!'), `${name(event)} ${event.outcome}: ${what}${again}`];
  }
}

/** A hint at the terminal while jobs are given time to end. */
function again({ signal, running }: Extract<ClientEvent, { event: 'stopping' }>): string {
  return signal === 'SIGINT' && running > 0 ? ' (Ctrl-C again: at once)' : '';
}

function ownership({ runs, again, orphans }: Extract<ClientEvent, { event: 'owner' }>): string {
  const parts = [runs === 0 ? 'no runs remembered' : `${count(runs, 'run')} remembered`];
  if (again > 0) parts.push(`${again} run again`);
  if (orphans > 0) parts.push(`${count(orphans, 'orphan')} ended`);
  return parts.join(', ');
}

function runList(runs: Extract<ClientEvent, { event: 'input' }>['runs']): string {
  const shown = runs.slice(0, 3).map((run) => `${name(run)} (${run.status})`);
  return [...shown, ...(runs.length > 3 ? [`and ${runs.length - 3} more`] : [])].join(', ');
}

function name({ job, run_key }: LoggedRun): string {
  return `${chalk.bold(visible(job))} ${visible(run_key)}`;
}

function attempt(number: number): string {
  return number === 1 ? '' : ` (attempt ${number})`;
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, '; ');
}

/** From `.hippo` on: the part before it is the project's folder, in which the reader works. */
function relativeLog(path: string): string {
  const start = path.lastIndexOf('.hippo/logs/');
  return start === -1 ? path : path.slice(start);
}
