/** Parts of the sentences that several recoveries say. */
import type { Millis } from '../core/clock.ts';
import { formatDuration } from '../core/duration.ts';
import { shellWord } from '../core/shell.ts';

/** `3 h ago` */
export function ago(now: Millis, at: Millis): string {
  return `${formatDuration(Math.max(0, now - at))} ago`;
}

/** ` by ann@desk`; empty where no name is given. */
export function by(operator: string | undefined): string {
  return operator === undefined || operator === '' ? '' : ` by ${operator}`;
}

/** `etl/load 201704` */
export function runName(hippo: string, job: string, key: string | null): string {
  return `${hippo}/${job}${key === null ? '' : ` ${key}`}`;
}

/** `hippo job run etl/load --key 201704` */
export function jobCommand(
  action: 'run' | 'resume' | 'cancel' | 'mark-success',
  { hippo, job, key = null }: { hippo: string; job: string; key?: string | null },
): string {
  const command = `hippo job ${action} ${shellWord(`${hippo}/${job}`)}`;
  return key === null ? command : `${command} --key ${shellWord(key)}`;
}

/** The first three, and how many more. */
export function firstOf(names: readonly string[]): string {
  const shown = names.length > 3 ? [...names.slice(0, 3), `and ${names.length - 3} more`] : names;
  return shown.join(', ');
}
