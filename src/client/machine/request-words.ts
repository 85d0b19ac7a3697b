/** What is said of a request, in notices and in the state. */
import type { ManualRequest } from '../../messages/types.ts';
import type { Draft } from './draft.ts';

/** It changes nothing; the client's log has the reason. */
export function refuse(draft: Draft, { action, jobName, by }: ManualRequest, why: string): void {
  const who = by === undefined ? '' : ` (asked by ${by})`;
  draft.notice('warning', `refused: ${action.replace('_', '-')} ${jobName}${who}: ${why}`);
}

/** Who asked, and why, as far as the request says so. */
export function requesterOf({ by, reason }: ManualRequest): { by?: string; reason?: string } {
  return { ...(by === undefined ? {} : { by }), ...(reason === undefined ? {} : { reason }) };
}

/** `cancelled by ann: wrong data` */
export function cancelReason({ by, reason }: ManualRequest): string {
  return [`cancelled by ${by ?? 'hand'}`, ...(reason === undefined ? [] : [reason])].join(': ');
}
