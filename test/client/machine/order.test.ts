import { describe, expect, it } from 'vitest';
import { Draft } from '../../../src/client/machine/draft.ts';
import { listRuns } from '../../../src/client/machine/index.ts';
import { byUrgency } from '../../../src/client/machine/order.ts';
import { Hippo, type JobYaml, daily, landing } from './hippo.ts';

const DAYS = ['2017-04-27', '2017-04-29', '2017-04-28', '2017-04-26'];

/** The order in which the runs start whose inputs land in the order of {@link DAYS}, one at a time. */
function started(job: Partial<JobYaml>, days = DAYS): string[] {
  const hippo = new Hippo({ load: { every: 'day', needs: [daily('btd.party')], ...job } });
  for (const day of days) hippo.land('btd.party', `dt=${day}`);
  for (let at = 0; at < days.length; at += 1) {
    const key = hippo.fired[at]?.replace('load ', '') ?? '';
    hippo.exit('load', key);
  }
  return hippo.fired.map((name) => name.replace('load ', ''));
}

describe('which of the ready runs starts first, after the one that was ready first', () => {
  const [first = '', second = '', third = '', fourth = ''] = DAYS;

  it.each<[string, Partial<JobYaml>, string[]]>([
    ['the oldest window', {}, [first, fourth, third, second]],
    ['the oldest window: order: oldest', { order: 'oldest' }, [first, fourth, third, second]],
    ['the newest window: order: newest', { order: 'newest' }, [first, second, third, fourth]],
    ['the one whose input came first: order: arrival', { order: 'arrival' }, DAYS],
  ])('%s', (_, job, expected) => {
    expect(started(job)).toEqual(expected);
  });

  const each = (days: readonly string[]): string[] => days.map((day) => `dt=${day}`);

  it.each<[string, Partial<JobYaml>, string[]]>([
    ['the one whose event came first', {}, each(DAYS)],
    [
      'the one whose event came last: order: newest',
      { order: 'newest' },
      each([first, fourth, third, second]),
    ],
  ])('with every: event %s', (_, job, expected) => {
    expect(started({ every: 'event', needs: [{ table: 'btd.party' }], ...job })).toEqual(expected);
  });

  it('and with order: arrival, a range that is published backwards runs backwards', () => {
    const backwards = Array.from(
      { length: 12 },
      (_, index) => `2017-04-${String(20 - index).padStart(2, '0')}`,
    );
    expect(started({ order: 'arrival' }, backwards)).toEqual(backwards);
  });

  it('runs whose messages came in one millisecond have one order, whichever are compared', () => {
    const hippo = new Hippo({ load: { needs: [{ table: 'btd.party' }] } });
    const messages = [
      ['first', 0, '9'],
      ['z', 0, '10'],
      ['m', 1, '5'],
      ['a', 0, '11'],
    ] as const;
    for (const [dt, partition, offset] of messages) {
      const from = { topic: 'frontier', partition, offset };
      hippo.tell({ type: 'message', at: hippo.now, from, message: landing('btd.party', `dt=${dt}`) });
    }
    for (const [dt] of messages) hippo.exit('load', hippo.fired.at(-1)?.replace('load ', '') ?? dt);
    expect(hippo.fired).toEqual(['load dt=first', 'load dt=z', 'load dt=a', 'load dt=m']);
    const job = hippo.definition.jobs.get('load');
    if (job === undefined) throw new Error('the job is gone');
    const inOrder = byUrgency(new Draft(hippo.definition, hippo.state, hippo.now), job);
    const runs = [...listRuns(hippo.state)];
    const sorted = runs.toSorted(inOrder).map(({ key }) => key);
    for (const start of runs.keys())
      expect([...runs.slice(start), ...runs.slice(0, start)].toSorted(inOrder).map(({ key }) => key)).toEqual(
        sorted,
      );
  });

  it('a run that an operator asks for comes before', () => {
    const hippo = new Hippo({ load: { every: 'day', needs: [daily('btd.party')], order: 'newest' } });
    for (const day of DAYS) hippo.land('btd.party', `dt=${day}`);
    hippo.ask('run', 'load', { runKey: '2017-01-01' });
    hippo.exit('load', first);
    expect(hippo.fired).toEqual([`load ${first}`, 'load 2017-01-01']);
  });
});
