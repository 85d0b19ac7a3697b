import chalk from 'chalk';
import type { ForgetPlan, ForgetReport } from '../tractor/forget.ts';
import { wrap } from './text.ts';

export function forgetQuestion(plan: ForgetPlan): string {
  return `Forget ${nameOf(plan)} (${remains(plan)})?`;
}

/** What has gone, or would go. */
export function renderForgotten(report: ForgetReport): string {
  switch (report.outcome) {
    case 'planned':
      return wrap(`Would forget ${nameOf(report)}: ${remains(report)}.`).join('\n');
    case 'declined':
      return 'Nothing was changed.';
    case 'forgotten':
      return wrap(`${nameOf(report)} is forgotten: ${remains(report)}.`, `${chalk.green('✓')} `).join('\n');
  }
}

function nameOf({ hippo, job }: ForgetPlan): string {
  return job === null ? hippo : `${hippo}/${job}`;
}

function remains({ group, offsets, records, alerts }: ForgetPlan): string {
  const open = alerts === 0 ? '' : `, with ${alerts} open alert${alerts === 1 ? '' : 's'}`;
  const state = `${records} record${records === 1 ? '' : 's'} of its state${open}`;
  if (group !== null) return `group ${group}, ${state}`;
  const kept = `the committed offsets of ${offsets.length} partition${offsets.length === 1 ? '' : 's'} are kept`;
  return offsets.length === 0 ? state : `${state}; ${kept}`;
}
