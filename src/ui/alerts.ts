import chalk from 'chalk';
import { formatDuration } from '../core/duration.ts';
import { ExitCode } from '../core/errors.ts';
import { visible } from '../core/visible.ts';
import type { AlertList, ListedAlert } from '../alerts/list.ts';
import type { AlertsTest, TestedReceiver } from '../alerts/try.ts';
import { count, wrap } from './text.ts';

/** @param now epoch milliseconds */
export function renderAlerts({ hippo, configured, alerts }: AlertList, now: number): string {
  const whose = hippo === null ? 'no hippo' : hippo;
  if (alerts.length === 0) {
    const none = hippo === null ? `${whose} has an open alert` : `${whose} has no open alert`;
    return configured === false
      ? [none, ...wrap('hippo.yaml has no `alerts`, so nothing is alerted', `${chalk.yellow('!')} `)].join(
          '\n',
        )
      : none;
  }
  const lines = alerts.flatMap((alert) => [...alertLines(alert, now), '']);
  return [...lines, count(alerts.length, 'open alert')].join('\n');
}

/** `▲ failed  etl/load 2017-04-28  since 2017-04-29T06:30:00.000Z (2 h)` and below it what has happened and what to type. */
function alertLines(alert: ListedAlert, now: number): string[] {
  const { condition, hippo, subject, run_key: key, since, text, next, delivered } = alert;
  const name = `${chalk.bold(visible(`${hippo}/${subject}`))}${key === null ? '' : ` ${chalk.cyan(visible(key))}`}`;
  const ago = since === null ? '' : ` (${formatDuration(Math.max(0, now - Date.parse(since)))})`;
  const told = delivered.length === 0 ? '' : `, told to ${delivered.map(visible).join(', ')}`;
  return [
    `${chalk.red('▲')} ${chalk.red(condition)}  ${name}`,
    ...wrap(visible(text), '  '),
    ...wrap(`since ${since?.replace('.000Z', 'Z') ?? '?'}${ago}${told}`, '  '),
    ...next.map((command) => `  → ${visible(command)}`),
  ];
}

export function renderAlertsTest({ receivers }: AlertsTest): string {
  return receivers
    .map(receiverLines)
    .map((lines) => lines.join('\n'))
    .join('\n');
}

/** A refusal needs a person to change something; what cannot be reached may heal by itself. */
export function testVerdict({ receivers }: AlertsTest): ExitCode {
  const outcomes = receivers.map(({ outcome }) => outcome);
  if (outcomes.some((outcome) => outcome === 'refused' || outcome === 'busy')) return ExitCode.notFine;
  return outcomes.includes('failed') ? ExitCode.unreachable : ExitCode.ok;
}

function receiverLines({ name, place, outcome, answer, took_ms, message }: TestedReceiver): string[] {
  const head = `${chalk.bold(name)} (${visible(place)})`;
  if (outcome === null) return [`· ${head} would get:`, JSON.stringify(message, null, 2)];
  const after = took_ms === null ? '' : ` after ${formatDuration(took_ms)}`;
  const mark = outcome === 'taken' ? chalk.green('✓') : chalk.red('✗');
  const said = visible(answer ?? '');
  if (outcome === 'taken' || outcome === 'busy')
    return wrap(`${WORDS[outcome]}${after}: ${said}`, `${mark} ${head} `, '  ');
  const text =
    outcome === 'failed'
      ? `sending to ${head} failed${after}: ${said}`
      : `${head} refuses it${after}: ${said}`;
  return [
    ...wrap(text, `${mark} `, '  '),
    ...wrap(`check url and credentials of alerts.receivers.${name} in hippo.yaml`, '  → ', '    '),
  ];
}

const WORDS = {
  taken: 'has taken it',
  busy: 'takes no more for now',
} as const;
