import chalk from 'chalk';
import { ExitCode } from '../core/errors.ts';
import { visible } from '../core/visible.ts';
import type { Letter, LetterStatus } from '../replay/letter.ts';
import type { ReplayReport } from '../replay/replay.ts';
import { COLUMNS, cut, wrap } from './text.ts';

/** At most this many letters of one reason are shown; `--json` has all. */
const SHOWN = 3;

/** What is not sent, and how to send it all the same. */
const LEFT: Partial<Record<LetterStatus, (count: number) => string>> = {
  'sent-before': (count) => `${are(count)} sent back before; --again sends ${it(count)} once more`,
  'perhaps-sent': (count) =>
    `${count} may have been sent back before: the topic no longer reaches back to when ${count === 1 ? 'it was' : 'they were'} rejected; --again sends ${it(count)}`,
  looping: (count) =>
    `${count === 1 ? '1 comes' : `${count} come`} back again and again; --force sends ${it(count)} all the same`,
  gone: (count) =>
    `${are(count)} cut for ${count === 1 ? 'its' : 'their'} size, and the whole ${count === 1 ? 'message is' : 'messages are'} no longer in the topic`,
  'too-large': (count) =>
    `${count} ${count === 1 ? 'is' : 'are'} larger than max.message.bytes of the topic: raise it, then replay again`,
  foreign: (count) => `${are(count)} not written by a hippo, or the original topic is gone`,
};

/** What goes back where, by the reason for which it was rejected, and what does not. */
export function renderLetters(letters: readonly Letter[]): string {
  const parts = [...Map.groupBy(letters, ({ topic }) => topic)];
  return parts.map(([topic, those]) => renderTopic(topic, those).join('\n')).join('\n');
}

function renderTopic(topic: string, letters: readonly Letter[]): string[] {
  const [first] = letters;
  const ready = Map.groupBy(
    letters.filter(({ status }) => status === 'ready'),
    reasonOf,
  );
  return [
    chalk.bold(`${topic} → ${first?.to.topic ?? ''}`),
    ...[...ready].flatMap(([reason, those]) => renderReason(reason, those)),
    ...Object.entries(LEFT).flatMap(([status, sentence]) => {
      const { length } = letters.filter((letter) => letter.status === status);
      const lines = length === 0 ? [] : wrap(sentence(length), `  ${chalk.yellow('-')} `);
      if (status !== 'too-large') return lines;
      return [...lines, ...letters.filter((letter) => letter.status === status).map(renderLetter)];
    }),
  ];
}

function renderReason(reason: string, letters: readonly Letter[]): string[] {
  const more = letters.length - SHOWN;
  return [
    ...wrap(`${letters.length} × ${visible(reason)}`, '  '),
    ...letters.slice(0, SHOWN).map(renderLetter),
    ...(more > 0 ? [chalk.dim(`      and ${more} more`)] : []),
  ];
}

/** `      0:12  2026-11-24 12:00:01  {"db":"btd","tab…` */
function renderLetter({ partition, offset, rejected_at: at, replays, hippos, excerpt }: Letter): string {
  const when = at === null ? '' : `  ${at.slice(0, 19).replace('T', ' ')}`;
  const again = replays === 0 ? '' : `  (sent back ${replays} ×)`;
  const by = hippos.length < 2 ? '' : `  (by ${hippos.length} hippos)`;
  const head = `      ${`${partition}:${offset}`.padEnd(5)}${when}${again}${by}  `;
  return `${head}${chalk.dim(cut(visible(excerpt), COLUMNS - head.length))}`;
}

function reasonOf({ field, reason }: Letter): string {
  return field === null ? reason : `${field} ${reason}`;
}

/** The last line: what would happen, or has. */
export function renderReplay({ dry_run: dryRun, declined, letters }: ReplayReport): string {
  const of = (status: LetterStatus): number => letters.filter((letter) => letter.status === status).length;
  const all = `${letters.length} dead ${letters.length === 1 ? 'letter' : 'letters'}`;
  if (letters.length === 0) return `${chalk.green('✓')} No dead letters.`;
  if (declined) return 'Nothing was sent.';
  const [sent, ready] = [of('sent'), of('ready')];
  if (dryRun) return `${ready} of ${all} would be sent back.`;
  if (sent === 0 && ready === 0) return `Nothing to send back of ${all}.`;
  const rest = ready === 0 ? '' : ` Interrupted: ${ready} left; the same command goes on.`;
  return `${chalk.green('✓')} ${sent} of ${all} sent back.${rest}`;
}

/** Not fine while something comes back again and again, or cannot be sent. */
export function replayVerdict({ dry_run: dryRun, declined, letters }: ReplayReport): ExitCode {
  const has = (status: LetterStatus): boolean => letters.some((letter) => letter.status === status);
  if (!dryRun && !declined && has('ready')) return ExitCode.interrupted;
  return has('looping') || has('gone') || has('too-large') || has('foreign') ? ExitCode.notFine : ExitCode.ok;
}

function are(count: number): string {
  return count === 1 ? '1 was' : `${count} were`;
}

function it(count: number): string {
  return count === 1 ? 'it' : 'them';
}
