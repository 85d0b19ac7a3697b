import { describe, expect, it } from 'vitest';
import type { Effect } from '../../../src/client/machine/index.ts';
import { Hippo, type JobYaml, SECOND, NOON, finishOf, landing, notices } from './hippo.ts';

const KEY = '2017-04-28';

const regions = (count: number): string[] => Array.from({ length: count }, (_, index) => `r${index}`);
const job = (count: number, more: Partial<JobYaml> = {}): Record<string, JobYaml> => ({
  load: {
    every: 'day',
    needs: [
      {
        table: 'shop.orders',
        each: { region: regions(count) },
        partition: { dt: '{{ window }}', region: '{{ region }}' },
      },
    ],
    run: './job.sh',
    ...more,
  },
});
const partition = (region: string): string => `dt=${KEY}/region=${region}`;

/** Bytes of the records that are written. */
function written(effects: readonly Effect[]): number {
  return effects.reduce(
    (sum, effect) =>
      effect.type === 'persist' ? sum + effect.key.length + JSON.stringify(effect.value).length : sum,
    0,
  );
}

describe('a run of very many needs', () => {
  const COUNT = 5_000;

  it('of 5,000 is taken in at a cost that does not grow with it, over a takeover, and fires once', () => {
    const hippo = new Hippo(job(COUNT));
    const began = process.cpuUsage();
    const sizes: number[] = [];
    for (const [index, region] of regions(COUNT).entries()) {
      if (index === COUNT / 2) hippo.restart();
      expect(hippo.fired).toEqual([]);
      sizes.push(written(hippo.land('shop.orders', partition(region))));
    }
    expect(hippo.fired).toEqual([`load ${KEY}`]);
    expect(hippo.submissions[0]?.inputs.map(({ values }) => values['region'])).toEqual(regions(COUNT));
    // What an event writes: what landed, for the hippo and for the run, and the run without its inputs.
    expect(Math.max(...sizes)).toBeLessThan(2_000);
    expect(process.cpuUsage(began).user / 1e6).toBeLessThan(20);

    expect(hippo.starts[0]).toMatchObject({ receiveCount: COUNT });
    expect(hippo.starts[0]).not.toHaveProperty('receiveMsgs');
    hippo.restart();
    hippo.exit('load', KEY);
    expect(hippo.finishes[0]).toMatchObject({ isSuccess: true, receiveCount: COUNT });
  });

  it('takes all that land again while it runs, and runs once more', () => {
    const COUNT = 1_000;
    const hippo = new Hippo(job(COUNT));
    for (const region of regions(COUNT)) hippo.land('shop.orders', partition(region));
    const sizes = regions(COUNT).map((region) =>
      written(hippo.land('shop.orders', partition(region), NOON / SECOND + 1)),
    );
    expect(Math.max(...sizes)).toBeLessThan(2_000);
    hippo.restart([hippo.run('load', KEY).attemptId ?? '']);
    expect(Object.keys(hippo.run('load', KEY).relanded)).toHaveLength(COUNT);
    hippo.exit('load', KEY);
    expect(hippo.fired).toHaveLength(2);
    expect(hippo.submissions[1]?.inputs.every(({ version }) => version === NOON / SECOND + 1)).toBe(true);
    expect(hippo.run('load', KEY).relanded).toEqual({});
  });

  it('is named in a few words when it is given up', () => {
    const hippo = new Hippo(job(1_000, { give_up: '1h' }));
    hippo.land('shop.orders', partition('r0'));
    const said = notices(hippo.wait(3 * 86_400_000));
    expect(said.join('\n').length).toBeLessThan(1_000);
    expect(said[0]).toContain('and 989 more did not land');
  });
});

describe('the inputs of a run with many needs', () => {
  const limits = { inline: 2, most: 4 };

  it('are gone with it', () => {
    const hippo = new Hippo(job(3), { limits, keep: 1_000 });
    for (const region of regions(3)) hippo.land('shop.orders', partition(region));
    hippo.exit('load', KEY);
    expect([...hippo.records.keys()].filter((key) => key.includes('/run-input/'))).toHaveLength(3);
    hippo.wait(10 * 86_400_000);
    expect([...hippo.records.keys()]).toEqual([]);
  });

  it('go into its own record when hippo.yaml has fewer needs now, and back', () => {
    const hippo = new Hippo(job(3), { limits });
    hippo.land('shop.orders', partition('r0'));
    const parts = (): string[] => [...hippo.records.keys()].filter((key) => key.includes('/run-input/'));
    expect(parts()).toHaveLength(1);
    hippo.restart([], new Hippo(job(2), { limits }).definition);
    hippo.land('shop.orders', partition('r1'));
    expect(hippo.fired).toHaveLength(1);
    expect(parts()).toEqual([]);
    hippo.restart([], new Hippo(job(3), { limits }).definition);
    expect(Object.keys(hippo.run('load', KEY).inputs)).toHaveLength(2);
    hippo.exit('load', KEY);
    expect(parts()).toHaveLength(2);
  });

  it('fail it alone where they are too many, by their number', () => {
    const other: JobYaml = { every: 'day', needs: [{ job: 'up/up' }], run: './job.sh' };
    const hippo = new Hippo({ ...job(5), other }, { limits });
    const said = notices(hippo.land('shop.orders', partition('r0')));
    expect(said).toEqual([`error: load ${KEY} failed: it has 5 needs; a run may have 4`]);
    expect(hippo.run('load', KEY)).toMatchObject({
      status: 'failed',
      error: 'it has 5 needs; a run may have 4',
      permanent: true,
    });
    for (const region of regions(5))
      expect(notices(hippo.land('shop.orders', partition(region), NOON / SECOND + 1))).toEqual([]);
    hippo.restart();
    hippo.ask('run', 'load', { runKey: KEY });
    expect(hippo.run('load', KEY).status).toBe('failed');
    expect(hippo.fired).toEqual([]);
    hippo.read(finishOf('up/up', { runKey: KEY }));
    expect(hippo.fired).toEqual([`other ${KEY}`]);
  });
});

describe('needs of one table that fix their levels', () => {
  it.each([
    [
      'named',
      (region: string) => [
        { name: 'DT', value: KEY },
        { name: 'Region', value: region },
      ],
    ],
    [
      'in another order',
      (region: string) => [
        { name: 'region', value: region },
        { name: 'dt', value: KEY },
      ],
    ],
    [
      'without names',
      (region: string) => [
        { name: '', value: KEY },
        { name: '', value: region },
      ],
    ],
  ])('are found by a message with levels %s', (_, levels) => {
    const hippo = new Hippo(job(20));
    const message = { ...landing('shop.orders'), partitions: regions(20).map(levels) };
    hippo.read(message);
    expect(hippo.fired).toEqual([`load ${KEY}`]);
  });

  it('are found beside those that fix others, or none', () => {
    const hippo = new Hippo({
      ...job(20),
      any: {
        every: 'day',
        needs: [{ table: 'shop.orders', partition: { dt: '{{ window }}', region: '{{ window }}' } }],
        run: './job.sh',
      },
      date: {
        every: 'day',
        needs: [{ table: 'shop.orders', partition: { dt: KEY, region: '{{ window }}' } }],
        run: './job.sh',
      },
    });
    hippo.land('shop.orders', `dt=${KEY}/region=${KEY}`);
    expect(hippo.fired).toEqual([`any ${KEY}`, `date ${KEY}`]);
  });
});
