import { describe, expect, it } from 'vitest';
import type { HippoMessage, ModelMessage } from '../../../src/messages/types.ts';
import type { Json } from '../../../src/core/json.ts';
import { Hippo, type JobYaml, NOON, SECOND, compiled, daily, landing, notices } from './hippo.ts';

const build = (model: string, extra: Record<string, Json> = {}, message = 'BUILD_MODEL'): ModelMessage => ({
  kind: 'model',
  message,
  model,
  extra,
});
const IRIS = 'value.message == "BUILD_MODEL" && value.model == "iris"';

describe('a message that a job with every: event needs', () => {
  const train: JobYaml = {
    needs: [{ topic: 'model', where: IRIS }],
    args: ["{{ needs['model'].model }}", '--depth={{ partition.depth }}'],
    concurrency: 10,
  };

  it('starts a run of its own, named by the time and place of its record', () => {
    const hippo = new Hippo({ train }, { timezone: 'Asia/Taipei' });
    hippo.read(build('iris', { depth: 3 }));
    hippo.read(build('iris', { depth: 4 }));
    expect(hippo.fired).toEqual([
      'train 2017-04-28T20:00:00+08:00-0-1',
      'train 2017-04-28T20:00:00+08:00-0-2',
    ]);
    expect(hippo.submissions.map(({ argv }) => argv.slice(1))).toEqual([
      ['iris', '--depth=3'],
      ['iris', '--depth=4'],
    ]);
    expect(hippo.starts[0]?.receiveMsgs).toEqual([
      { topic: 'model', partition: 0, offset: '1', need: 'model' },
    ]);
  });

  it('is another one where `where` is false or cannot be judged, and the log says nothing of those', () => {
    const hippo = new Hippo({ train });
    const effects = [build('other'), build('iris', {}, 'KILL')].flatMap((message) => hippo.read(message));
    expect(effects).toEqual([]);
    expect(hippo.statuses).toEqual({});
  });

  it('is run again by hand, by its key, with the same message', () => {
    const hippo = new Hippo({ train });
    hippo.read(build('iris', { depth: 3 }));
    const key = '2017-04-28T12:00:00Z-0-1';
    hippo.exit('train', key);
    hippo.restart();
    hippo.ask('run', 'train', { runKey: key });
    expect(hippo.submissions.at(-1)?.argv.slice(1)).toEqual(['iris', '--depth=3']);
  });

  it('may have values that no argument can take: those are not there', () => {
    const hippo = new Hippo({ train: { ...train, args: ['{{ partition.model }}'] } });
    hippo.read(
      build('iris', {
        blank: ' ',
        control: 'a\nb',
        list: [1],
        object: {},
        nothing: null,
        yes: true,
        price: 1.5,
      }),
    );
    const [input] = hippo.submissions[0]?.inputs ?? [];
    expect(input?.values).toEqual({ message: 'BUILD_MODEL', model: 'iris', yes: 'true', price: '1.5' });
  });

  it('has a bounded number of values', () => {
    const hippo = new Hippo({ train: { ...train, args: [] } });
    hippo.read(build('iris', Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`f${at}`, at]))));
    expect(Object.keys(hippo.submissions[0]?.inputs[0]?.values ?? {})).toHaveLength(32);
  });
});

describe('a message that a job with windows needs', () => {
  const train: JobYaml = { every: 'day', needs: [{ topic: 'model', where: IRIS }, daily('btd.party')] };

  it('is of the window that holds the time of its record, and a later one lands again', () => {
    const hippo = new Hippo({ train });
    hippo.read(build('iris'));
    hippo.land('btd.party', 'dt=2017-04-28');
    expect(hippo.fired).toEqual(['train 2017-04-28']);
    hippo.exit('train', '2017-04-28');
    hippo.wait(1);
    hippo.read(build('iris'));
    expect(hippo.fired).toHaveLength(2);
  });

  it('lands again with a further message of the same millisecond, and not with the same one', () => {
    const hippo = new Hippo({ train: { every: 'day', needs: [{ topic: 'model' }] } });
    hippo.read(build('iris'));
    hippo.exit('train', '2017-04-28');
    hippo.read(build('iris'));
    hippo.exit('train', '2017-04-28');
    expect(hippo.fired).toHaveLength(2);
    expect(hippo.run('train', '2017-04-28').inputs['model']?.offset).toBe('2');
    for (const [partition, offset] of [
      [0, '2'],
      [0, '1'],
      [1, '3'],
    ] as const) {
      const from = { topic: 'model', partition, offset };
      hippo.tell({ type: 'message', at: hippo.now, from, message: build('iris') });
    }
    expect(hippo.fired).toHaveLength(2);
  });

  it('follows the timestamp of the record, not the time at which it is read', () => {
    const hippo = new Hippo({ train: { every: 'day', needs: [{ topic: 'model' }] } });
    const record = {
      ...{ topic: 'model', partition: 0n, offset: 5n, key: null, headers: {}, value: {} },
      timestamp: new Date(NOON - 3 * 86_400_000),
    };
    const from = { topic: 'model', partition: 0, offset: '5' };
    hippo.tell({ type: 'message', at: NOON, from, message: build('iris'), record });
    hippo.tell({
      ...{ type: 'message', at: NOON, from: { ...from, offset: '6' }, message: build('iris') },
      record: { ...record, timestamp: new Date(-1) },
    });
    expect(hippo.run('train', '2017-04-25').inputs['model']?.version).toBe((NOON - 3 * 86_400_000) / SECOND);
    expect(hippo.run('train', '2017-04-28').inputs['model']?.version).toBe(NOON / SECOND);
  });
});

it('any message of any of the topics can be needed', () => {
  const where = 'value.hippo_name != "etl"';
  const hippo = new Hippo({
    ofStart: { needs: [{ topic: 'start', where }] },
    ofFrontier: { needs: [{ topic: 'frontier' }] },
    ofSchedule: { needs: [{ topic: 'schedule', where: 'value.hippo_name == "sales"' }] },
  });
  const messages: HippoMessage[] = [
    { kind: 'start', hippoName: 'sales', jobName: 'load', jobId: 'load_1', startTime: 1, extra: {} },
    { kind: 'start', hippoName: 'etl', jobName: 'load', jobId: 'load_1', startTime: 1, extra: {} },
    landing('btd.party'),
    { kind: 'schedule', hippoName: 'sales', jobName: 'load', action: 'run', extra: {} },
  ];
  for (const message of messages) hippo.read(message);
  const at = '2017-04-28T12:00:00Z';
  expect(hippo.fired).toEqual([`ofStart ${at}-0-1`, `ofFrontier ${at}-0-3`, `ofSchedule ${at}-0-4`]);
});

describe('a message need is refused', () => {
  it.each(['start', 'finish', 'health', 'alert'] as const)('%s without where: it would loop', (topic) => {
    expect(compiled({ load: { needs: [{ topic }] } })).toMatchObject({
      ok: false,
      problems: [
        {
          path: ['jobs', 'load', 'needs', 0, 'topic'],
          message: `without \`where\`, the messages on ${topic} that its own runs and client cause would start it again and again`,
          allowed: '`where` with a condition that those messages do not meet',
        },
      ],
    });
  });

  it.each<[string, JobYaml['needs']]>([
    ['a table', [{ table: 'btd.party' }, { topic: 'model' }]],
    ['another message', [{ topic: 'model' }, { topic: 'frontier' }]],
    ['another of the same set', [{ at_least: 2, of: [{ topic: 'model' }, { topic: 'frontier' }] }]],
  ])('beside %s with every: event: no run would be complete', (_, needs) => {
    expect(compiled({ load: { needs } })).toMatchObject({
      ok: false,
      problems: [{ message: expect.stringContaining('each message is a run of its own') as string }],
    });
  });

  it('but not as one of several that start it', () => {
    const needs = [{ any_of: [{ topic: 'model' as const }, { table: 'btd.party' }] }];
    const hippo = new Hippo({ load: { needs, concurrency: 2 } });
    hippo.read(build('iris'));
    hippo.land('btd.party', 'dt=1');
    expect(hippo.fired).toEqual(['load 2017-04-28T12:00:00Z-0-1', 'load dt=1']);
  });
});

it('two needs of one topic have ids of their own', () => {
  const needs = [
    { topic: 'model' as const, where: 'value.message == "NEW_DATA"' },
    { topic: 'model' as const, where: 'value.message == "BUILD_MODEL"' },
  ];
  const hippo = new Hippo({ train: { every: 'day', needs } });
  hippo.read(build('iris'));
  expect(notices(hippo.read(build('iris', {}, 'NEW_DATA')))).toEqual([]);
  expect(Object.keys(hippo.run('train', '2017-04-28').inputs).sort()).toEqual(['model', 'model#2']);
});
