import { describe, expect, it } from 'vitest';
import { JsonNumber } from '../../../src/core/json.ts';
import {
  type FrontierEvent,
  type JobFinish,
  parseFinish,
  parseFrontier,
} from '../../../src/messages/index.ts';
import {
  Hippo,
  type JobYaml,
  NOON,
  type Options,
  SECOND,
  daily,
  finishOf,
  landing,
  monthly,
} from './hippo.ts';

type Need = NonNullable<JobYaml['needs']>[number];
type Every = NonNullable<JobYaml['every']>;

/** The runs that a message opens in a job with this need only, and whether they are complete. */
function runsOf(
  every: Every,
  need: Need,
  message: FrontierEvent | JobFinish,
  options: Options = {},
): string[] {
  const hippo = new Hippo({ load: { every, needs: [need], concurrency: 1000 } }, options);
  hippo.read(message);
  return hippo.fired.map((name) => name.replace('load ', ''));
}

function frontier(json: object): FrontierEvent {
  const parsed = parseFrontier(JSON.stringify({ db: 'btd', table: 'party', method: 'partition', ...json }));
  if (!parsed.ok) throw new Error(parsed.rejection.reason);
  return parsed.message;
}

const EXEC = NOON / SECOND;
const pairs = (...partition: [string, string][]): FrontierEvent =>
  frontier({ partition: partition.map(([name, value]) => ({ name, value })), exec_date: String(EXEC) });
const arrays = (fields: string[], values: string[]): FrontierEvent =>
  frontier({ partition_fields: fields, partition_values: values, exec_date: EXEC });
const scalars = (fields: string, values: string): FrontierEvent =>
  frontier({ partition_fields: fields, partition_values: values, timestamp: EXEC });
const legacy = (...partitions: string[]): FrontierEvent =>
  frontier({ partitions, exec_date: '2017/04/28T12:00:00Z' });

const byMonth = monthly('btd.party');
const twoLevels = { table: 'btd.party', partition: { yyyymm: "{{ window | date: '%Y%m' }}", region: 'us' } };
const any = { table: 'btd.party' };

describe('a table is satisfied by what every dialect says of it', () => {
  it.each<[title: string, every: Every, need: Need, message: FrontierEvent, keys: string[]]>([
    ['pairs', 'month', byMonth, pairs(['yyyymm', '201704']), ['201704']],
    ['arrays', 'month', byMonth, arrays(['yyyymm'], ['201704']), ['201704']],
    ['scalars', 'month', byMonth, scalars('yyyymm', '201704'), ['201704']],
    ['legacy, whose levels have no names', 'month', byMonth, legacy('201704'), ['201704']],
    [
      'legacy, several partitions in one message',
      'month',
      byMonth,
      legacy('201703', '201704'),
      ['201703', '201704'],
    ],
    ['pairs, two levels', 'month', twoLevels, pairs(['yyyymm', '201704'], ['region', 'us']), ['201704']],
    [
      'arrays, two levels in another order',
      'month',
      twoLevels,
      arrays(['region', 'yyyymm'], ['us', '201704']),
      ['201704'],
    ],
    ['scalars, two levels', 'month', twoLevels, scalars('yyyymm/region', '201704/us'), ['201704']],
    ['the names of levels know no case', 'month', byMonth, pairs(['YYYYMM', '201704']), ['201704']],
    ['blank: unpartitioned', 'day', any, pairs(['', '']), ['2017-04-28']],
    ['unpartitioned, in arrays', 'day', any, arrays([], []), ['2017-04-28']],
    ['unpartitioned, by the month', 'month', any, pairs(['', '']), ['201704']],
    // Every event: the partition names the run.
    ['event: one level', 'event', any, pairs(['yyyymm', '201704']), ['yyyymm=201704']],
    [
      'event: two levels',
      'event',
      any,
      pairs(['yyyymm', '201704'], ['region', 'us']),
      ['yyyymm=201704/region=us'],
    ],
    ['event: no names', 'event', any, legacy('201703', '201704'), ['201703', '201704']],
    ['event: unpartitioned, each landing is a run', 'event', any, pairs(['', '']), ['2017-04-28T12:00:00Z']],
    [
      'event: a fixed level does not name it',
      'event',
      { table: 'btd.party', partition: { region: 'us' } },
      pairs(['yyyymm', '201704'], ['region', 'us']),
      ['yyyymm=201704'],
    ],
    [
      'event: all levels fixed',
      'event',
      { table: 'btd.party', partition: { region: 'us' } },
      pairs(['region', 'us']),
      ['region=us'],
    ],
    [
      'event: characters that a name may not have are escaped',
      'event',
      any,
      pairs(['path', 'a/b=c%']),
      ['path=a%2Fb%3Dc%25'],
    ],
  ])('%s', (_, every, need, message, keys) => {
    expect(runsOf(every, need, message)).toEqual(keys);
  });

  it.each<[title: string, every: Every, need: Need, message: FrontierEvent]>([
    ['another table', 'month', byMonth, landing('btd.other', 'yyyymm=201704')],
    ['another database', 'month', byMonth, landing('other.party', 'yyyymm=201704')],
    ['another level', 'month', byMonth, pairs(['month', '201704'])],
    ['a level too many', 'month', byMonth, pairs(['yyyymm', '201704'], ['region', 'us'])],
    ['a level too few', 'month', twoLevels, pairs(['yyyymm', '201704'])],
    ['another region', 'month', twoLevels, pairs(['yyyymm', '201704'], ['region', 'eu'])],
    ['a value that is not a date', 'month', byMonth, pairs(['yyyymm', 'latest'])],
    ['a month that there is not', 'month', byMonth, pairs(['yyyymm', '201713'])],
    ['a partition of a table that should have none', 'day', any, pairs(['yyyymm', '201704'])],
    ['no partition of a table that should have one', 'month', byMonth, pairs(['', ''])],
    [
      'event: another fixed level',
      'event',
      { table: 'btd.party', partition: { region: 'us' } },
      pairs(['region', 'eu']),
    ],
    ['a time that no window holds', 'day', any, landing('btd.party', '', 253_402_300_799)],
  ])('but not by %s', (_, every, need, message) => {
    expect(runsOf(every, need, message)).toEqual([]);
  });

  it('tables know no case, as in Hive', () => {
    expect(runsOf('month', monthly('BTD.Party'), pairs(['yyyymm', '201704']))).toEqual(['201704']);
  });

  it('unpartitioned data belongs to the window of its exec_date, in the time zone, with its start of the day', () => {
    const late = landing('btd.party', '', Date.parse('2017-04-28T22:30:00+08:00') / SECOND);
    expect(runsOf('day', any, late, { timezone: 'Asia/Taipei' })).toEqual(['2017-04-28']);
    expect(runsOf('day', any, late, { timezone: 'Asia/Taipei', dayStarts: '22:00' })).toEqual(['2017-04-29']);
  });

  it('a very long partition has a key of bounded length, and another one another', () => {
    const [one] = runsOf('event', any, pairs(['path', 'x'.repeat(700)]));
    const [other] = runsOf('event', any, pairs(['path', `${'x'.repeat(699)}y`]));
    expect(one).toHaveLength(317);
    expect(other).toHaveLength(317);
    expect(one).not.toBe(other);
  });
});

describe('a job of another hippo is satisfied by its successful finish', () => {
  const job = { job: 'other.hippo/summarize' };
  const finish = (fields: Partial<JobFinish>): JobFinish => finishOf('other.hippo/summarize', fields);
  const extra = { execute_time: '20170427' };

  it.each<[title: string, every: Every, need: Need, message: JobFinish, keys: string[]]>([
    ['of the same window', 'day', job, finish({ runKey: '2017-04-27' }), ['2017-04-27']],
    ['that names no run but its date', 'day', job, finish({ extra }), ['2017-04-27']],
    ['that names no run but its date, by the month', 'month', job, finish({ extra }), ['201704']],
    ['that names nothing: when it ended', 'day', job, finish({}), ['2017-04-28']],
    [
      'of a run named otherwise',
      'day',
      { ...job, key: "{{ window | minus: '1d' | date: '%Y%m%d' }}" },
      finish({ runKey: '20170427' }),
      ['2017-04-28'],
    ],
    ['event: of the same key', 'event', job, finish({ runKey: 'yyyymm=201704' }), ['yyyymm=201704']],
    ['event: without a key', 'event', job, finish({ extra }), ['20170427']],
    ['event: without anything', 'event', job, finish({}), ['2017-04-28T12:00:00Z']],
  ])('%s', (_, every, need, message, keys) => {
    expect(runsOf(every, need, message)).toEqual(keys);
  });

  it.each<[title: string, every: Every, need: Need, message: JobFinish]>([
    ['a failed one', 'day', job, finish({ runKey: '2017-04-27', isSuccess: false })],
    ['that of another job', 'day', job, finishOf('other.hippo/load', { runKey: '2017-04-27' })],
    ['that of another hippo', 'day', job, finishOf('other/summarize', { runKey: '2017-04-27' })],
    ['a run of another kind', 'day', job, finish({ runKey: '201704' })],
    ['a time that no window holds', 'day', job, finish({ finishTime: 253_402_300_799 })],
  ])('but not by %s', (_, every, need, message) => {
    expect(runsOf(every, need, message)).toEqual([]);
  });

  it('as the oldest clients write it', () => {
    const parsed = parseFinish(
      '{"hippo_name":"other.hippo","job_name":"summarize","job_id":"summarize_1493380800","is_success":true,"finish_time":1493380800,"duration_time":50,"execute_time":20170427}',
    );
    expect(parsed.ok && runsOf('day', job, parsed.message)).toEqual(['2017-04-27']);
  });

  it('whose date is a number with a fraction', () => {
    const message = finish({ extra: { execute_time: new JsonNumber('20170427.0') } });
    expect(runsOf('day', job, message)).toEqual(['2017-04-27']);
  });

  it('a run of a month serves the days of the month', () => {
    const hippo = new Hippo({
      load: {
        every: 'day',
        concurrency: 9,
        needs: [daily('btd.party'), { ...job, key: "{{ window | date: '%Y%m' }}" }],
      },
    });
    hippo.land('btd.party', 'dt=2017-04-01');
    hippo.land('btd.party', 'dt=2017-05-01');
    hippo.read(finish({ runKey: '201704' }));
    hippo.land('btd.party', 'dt=2017-04-30');
    expect(hippo.fired).toEqual(['load 2017-04-01', 'load 2017-04-30']);
  });
});
