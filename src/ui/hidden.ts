import chalk from 'chalk';
import type { HidingTransaction } from '../core/open-transaction.ts';
import { visible } from '../core/visible.ts';
import { wrap } from './text.ts';

/** What hides records, and how it ends. */
export function renderHidden(hidden: readonly HidingTransaction[]): string[] {
  return hidden.flatMap(({ text, remedy, command }) => [
    ...wrap(visible(text), `${chalk.yellow('!')} `),
    ...wrap(visible(remedy), '  '),
    `  ${chalk.cyan('→')} ${command}`,
  ]);
}
