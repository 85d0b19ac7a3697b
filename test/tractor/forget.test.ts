import { describe, expect, it } from 'vitest';
import { parseStateKey } from '../../src/state/index.ts';
import { Remains } from '../../src/tractor/forget.ts';
import { renderForgotten } from '../../src/ui/forget.ts';

const ALERT = { since: 1_493_445_600_000, text: 'something is wrong' };

/** @param records key → value */
function remainsOf(...records: [id: string, value: object | null][]): Remains {
  const remains = new Remains('hippo-state');
  for (const [id, value] of records) {
    const key = parseStateKey(id);
    if (key === undefined) throw new Error(id);
    const bytes = value === null ? null : Buffer.from(JSON.stringify(value));
    remains.take({ key, id, partition: 0, value: bytes, at: 0 });
  }
  return remains;
}

describe('the records of a job that is forgotten', () => {
  it('are its alerts, too, and not those of other jobs, services and topics', () => {
    const { tombstones } = remainsOf(
      ['etl/run/load/2017-04-28', {}],
      ['etl/alert/load/failed/2017-04-28/1', { ...ALERT, condition: 'failed', subject: 'load', runKey: 'k' }],
      ['etl/alert/load/paused/1', { ...ALERT, condition: 'paused', subject: 'load', resolvedAt: 2 }],
      ['etl/alert/load/dead-letters/1', { ...ALERT, condition: 'dead-letters', subject: 'load' }],
      ['etl/alert/api/crash-loop/1', { ...ALERT, condition: 'crash-loop', subject: 'api' }],
      ['etl/alert/other/failed/k/1', { ...ALERT, condition: 'failed', subject: 'other', runKey: 'k' }],
      ['etl/alert/load/failed/old/1', { ...ALERT, condition: 'failed', subject: 'load', runKey: 'old' }],
      ['etl/alert/load/failed/old/1', null],
    );
    const those = tombstones.filter(({ job }) => job === 'load');
    expect(those.map(({ key, isOpenAlert }) => [key, isOpenAlert])).toEqual([
      ['etl/run/load/2017-04-28', false],
      ['etl/alert/load/failed/2017-04-28/1', true],
      ['etl/alert/load/paused/1', false],
    ]);
  });

  it('are said before they are removed', () => {
    const plan = { hippo: 'etl', job: 'load', group: null, offsets: [], records: 3, alerts: 1 };
    expect(renderForgotten({ ...plan, outcome: 'planned' })).toBe(
      'Would forget etl/load: 3 records of its state, with 1 open alert.',
    );
  });
});
