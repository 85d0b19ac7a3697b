/** Records that their topics do not take: a run, a landing or a message of one job never ends the client. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { WatchedSource } from '../../../src/client/host/sources.ts';
import { UserError } from '../../../src/core/errors.ts';
import { serialiseMessage } from '../../../src/messages/index.ts';
import { MemoryKafka } from '../../support/memory-kafka.ts';
import { type JobYaml, NOON, ORDERS, landing } from '../machine/hippo.ts';
import { EACH, Owned, until } from './owned.ts';

const STATE = 'hippo-state';
const REGIONS = Array.from({ length: 12 }, (_, index) => `region-${index}`);
const BIG: JobYaml = {
  every: 'day',
  needs: [
    {
      table: 'shop.orders',
      each: { region: REGIONS },
      partition: { dt: '{{ window }}', region: '{{ region }}' },
    },
  ],
  run: './job.sh',
};
const JOBS = { load: EACH, big: BIG };
const DAY = '2017-04-28';
/** Of the state topic: less than the run of `big` needs, and more than all else. */
const LIMIT = 1_500;

const owners: Owned[] = [];
function owned(...args: ConstructorParameters<typeof Owned>): Owned {
  const one = new Owned(...args);
  owners.push(one);
  return one;
}
afterEach(async () => {
  for (const one of owners.splice(0)) await one.lose();
  vi.useRealTimers();
});

function landBig(client: Owned, regions: readonly string[]): void {
  for (const region of regions)
    client.kafka.produce({
      topic: 'frontier-adw',
      key: 'shop.orders',
      value: serialiseMessage(landing('shop.orders', `dt=${DAY}/region=${region}`)),
    });
}

const runOf = (client: Owned): unknown =>
  JSON.parse(client.kafka.compacted(STATE).get(`etl/run/big/${DAY}`) ?? 'null');

const finished = (client: Owned, job: string): number =>
  client.saw('finished').filter((event) => 'job' in event && event.job === job).length;

const FAILED = {
  status: 'failed',
  permanent: true,
  inputs: {},
  error: expect.stringMatching(
    /^its record needs \d+ bytes; max\.message\.bytes of the topic hippo-state is 1500$/,
  ) as unknown,
};

describe.each([true, false])('the state topic takes less (its settings may be read: %s)', (tellsLimits) => {
  it('while the client runs: the run that is too large fails, the others go on', async () => {
    const client = owned(JOBS);
    client.kafka.tellsLimits = tellsLimits;
    const owning = client.own();
    client.land('no=1');
    await until('the first one runs', () => client.submitted.length === 1);
    client.kafka.limits.set(STATE, LIMIT);
    landBig(client, REGIONS);
    client.land('no=2');
    await until('the other job runs', () => client.submitted.includes('no=2'));
    client.exit('no=1');
    client.exit('no=2');
    await until('both finish', () => finished(client, 'load') === 2);
    if (tellsLimits) expect(runOf(client)).toMatchObject(FAILED);
    else expect(runOf(client)).toMatchObject({ status: 'failed', permanent: true });
    expect(client.submitted).toEqual(['no=1', 'no=2']);
    const said = client.events.flatMap((event) => (event.event === 'input' ? event.runs : []));
    const statuses = said.filter(({ job }) => job === 'big').map(({ status }) => status);
    // Its process was never started, so no line of the log may say that it runs.
    expect(statuses.slice(-1)).toEqual(['failed']);
    expect(statuses).not.toContain('running');
    expect(
      client.notices.filter((text) => text.startsWith(`big ${DAY} failed: its record needs`)),
    ).toHaveLength(1);
    await client.lose();
    await expect(owning).resolves.toBeUndefined();
  });

  it('before it starts again: the same', async () => {
    const kafka = new MemoryKafka();
    kafka.tellsLimits = tellsLimits;
    const before = owned(JOBS, { kafka });
    void before.own();
    landBig(before, REGIONS.slice(1));
    await until('it waits', () => runOf(before) !== null);
    await before.lose();
    kafka.limits.set(STATE, LIMIT);
    const client = owned(JOBS, { kafka, once: true });
    landBig(client, REGIONS.slice(0, 1));
    client.land('no=2');
    const owning = client.own();
    await until('the other job runs', () => client.submitted.length === 1);
    client.exit('no=2');
    await owning;
    expect(runOf(client)).toMatchObject({ status: 'failed', permanent: true });
    expect(client.submitted).toEqual(['no=2']);
  });
});

describe('a run that is running', () => {
  it('is run again by the next owner, and fails where the topic takes less by then', async () => {
    const kafka = new MemoryKafka();
    const before = owned(JOBS, { kafka });
    void before.own();
    landBig(before, REGIONS);
    await until('it runs', () => before.submitted.length === 1);
    await before.lose();
    kafka.limits.set(STATE, LIMIT);
    const client = owned(JOBS, { kafka, once: true });
    await client.own();
    expect(client.submitted).toEqual([]);
    expect(runOf(client)).toMatchObject(FAILED);
    const finish = JSON.parse(String(kafka.records('hippo-finish')[0]?.value)) as object;
    expect(finish).toMatchObject({ is_success: false });
    expect(JSON.stringify(finish)).toContain('max.message.bytes of the topic hippo-state is 1500');
  });
});

describe('a start or finish message that is too large', () => {
  it('has the number of its messages instead of their list', async () => {
    const client = owned(JOBS);
    client.kafka.limits.set('hippo-start', 600);
    client.kafka.limits.set('hippo-finish', 600);
    void client.own();
    landBig(client, REGIONS);
    await until('it runs', () => client.submitted.length === 1);
    client.exit(DAY);
    await until('it finishes', () => client.kafka.records('hippo-finish').length === 1);
    for (const topic of ['hippo-start', 'hippo-finish']) {
      const [message] = client.kafka.records(topic);
      expect(JSON.parse(String(message?.value))).toMatchObject({ receive_msgs_count: REGIONS.length });
    }
    expect(client.notices).toEqual([
      expect.stringMatching(/^the start message of big 2017-04-28 was cut: it needs \d+ bytes; max/),
      expect.stringMatching(/^the finish message of big 2017-04-28 was cut: it needs \d+ bytes; max/),
    ]);
  });

  it('is left out, with a notice, where nothing of it fits', async () => {
    const client = owned(JOBS);
    client.kafka.limits.set('hippo-start', 100);
    void client.own();
    client.land('no=1');
    await until('it runs', () => client.submitted.length === 1);
    expect(client.notices[0]).toMatch(/^the start message of load no=1 was not written: it needs/);
  });

  it('makes the run fail where its result does not fit', async () => {
    const client = owned(JOBS);
    client.kafka.limits.set('hippo-finish', 800);
    void client.own();
    client.land('no=1');
    await until('it runs', () => client.submitted.length === 1);
    client.exit('no=1', { status: 'succeeded', result: { text: 'x'.repeat(2_000) } });
    await until('it finishes', () => client.saw('finished').length === 1);
    expect(client.saw('finished')[0]).toMatchObject({ is_success: false });
    expect(String(client.kafka.records('hippo-finish')[0]?.value)).toContain(
      'max.message.bytes of the topic hippo-finish is 800',
    );
  });
});

describe.each([true, false])(
  'an event of an output that is too large (its settings may be read: %s)',
  (tells) => {
    it('makes the run fail for good, and is not published', async () => {
      const produces = [
        { table: 'dm.small' },
        { table: 'dm.large', partition: { dt: '{{ key }}', v: '{{ result.v }}' } },
      ];
      const client = owned({ load: { ...EACH, produces, retries: { attempts: 3, backoff: '1s' } } });
      client.kafka.tellsLimits = tells;
      client.kafka.limits.set('frontier-adw', 600);
      void client.own();
      client.land('no=1');
      await until('it runs', () => client.submitted.length === 1);
      client.exit('no=1', { status: 'succeeded', result: { v: 'x'.repeat(700) } });
      await until('it finishes', () => client.saw('finished').length === 1);
      expect(client.saw('finished')[0]).toMatchObject({ is_success: false });
      expect(client.saw('ended').at(-1)).toMatchObject({
        outcome: 'failed',
        error: expect.stringMatching(
          /^the event of its output dm\.large needs \d+ bytes; max\.message\.bytes of the topic frontier-adw is \d+$/,
        ) as unknown,
      });
      expect(client.saw('produced')).toEqual([]);
      expect(client.kafka.records('frontier-adw')).toHaveLength(1);
    });
  },
);

it('a result that is to be kept, and that the state topic does not take, makes the run fail for good', async () => {
  const client = owned({ load: { ...EACH, keep_result: true } });
  client.kafka.limits.set(STATE, 1_500);
  void client.own();
  client.land('no=1');
  await until('it runs', () => client.submitted.length === 1);
  client.exit('no=1', { status: 'succeeded', result: { v: 'x'.repeat(1_500) } });
  await until('it finishes', () => client.saw('finished').length === 1);
  expect(client.saw('ended').at(-1)).toMatchObject({
    outcome: 'failed',
    error: expect.stringMatching(
      /^the record that keeps its result needs \d+ bytes; max\.message\.bytes of the topic hippo-state is 1500$/,
    ) as unknown,
  });
});

it('an output that cannot be rendered makes the run fail: the log says so, too', async () => {
  const client = owned({
    load: { ...EACH, produces: [{ table: 'dm.t', partition: { v: '{{ result.v }}' } }] },
  });
  void client.own();
  client.land('no=1');
  await until('it runs', () => client.submitted.length === 1);
  client.exit('no=1');
  await until('it finishes', () => client.saw('finished').length === 1);
  expect(client.saw('ended')).toMatchObject([
    {
      outcome: 'failed',
      exit_code: 0,
      error: 'its output dm.t cannot be published: v: the job has written no result to $HIPPO_RESULT_FILE',
    },
  ]);
});

describe('what comes in', () => {
  it('is refused where its landing is too large, and goes to the dead letters', async () => {
    const client = owned({ load: EACH });
    client.kafka.limits.set(STATE, 1_000);
    client.kafka.limits.set('frontier-adw.dlq', 900);
    void client.own();
    client.land(`no=${'9'.repeat(700)}`);
    client.land('no=1');
    await until('the other one runs', () => client.submitted.length === 1);
    expect(client.submitted).toEqual(['no=1']);
    expect(client.saw('rejected')).toMatchObject([
      {
        topic: 'frontier-adw',
        offset: '0',
        reason: expect.stringMatching(/^its state record needs \d+ bytes; max/) as unknown,
      },
    ]);
    const [letter] = client.kafka.records('frontier-adw.dlq');
    expect(Number(letter?.headers['dlq.truncated'])).toBeGreaterThan(700);
  });

  it('is passed over with an error where not even its dead letter fits', async () => {
    const client = owned({ load: EACH });
    client.kafka.limits.set('frontier-adw.dlq', 100);
    client.kafka.produce({ topic: 'frontier-adw', key: 'x', value: 'no message' });
    client.land('no=1');
    void client.own();
    await until('the other one runs', () => client.submitted.length === 1);
    expect(client.notices[0]).toMatch(
      /^no dead letter was written for frontier-adw \d:0: cut to the minimum, it needs/,
    );
  });
});

describe('a topic that does not take what every hippo must write', () => {
  it.each(['at the start', 'while the client runs'])('ends the client %s', async (when) => {
    const client = owned(JOBS);
    if (when === 'at the start') client.kafka.limits.set(STATE, 200);
    const owning = client.own();
    if (when !== 'at the start') {
      await until('it owns', () => client.saw('owner').length === 1);
      client.kafka.limits.set(STATE, 200);
      client.land('no=1');
    }
    const error = await owning.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UserError);
    expect(String(error)).toContain(
      'the topic hippo-state does not take a record that this hippo must write',
    );
    expect((error as UserError).why).toContain('max.message.bytes of the topic is 200');
  });
});

describe.each([true, false])(
  'an event of a source that its topic does not take (its settings may be read: %s)',
  (tells) => {
    it('is not announced, which is said once; the others are, and it is when the topic takes it', async () => {
      vi.useFakeTimers({ toFake: ['performance'] });
      const SMALL = { id: 'dt=1', partition: [{ name: 'dt', value: '1' }] };
      const LARGE = { id: 'dt=2', partition: [{ name: 'dt', value: '2'.repeat(900) }] };
      let scans = 0;
      const source: WatchedSource = {
        source: ORDERS,
        scanner: {
          place: '/landing',
          async *scan() {
            await Promise.resolve();
            scans += 1;
            yield [SMALL, LARGE].map((each) => ({ ...each, landedAt: NOON, found: 'x' }));
          },
        },
        every: 1,
      };
      const client = owned({}, { sources: [source] });
      client.kafka.tellsLimits = tells;
      client.kafka.limits.set('frontier-adw', 800);
      void client.own();
      await until('it has scanned again', () => scans > 4);
      const events = (): string[] =>
        client.kafka
          .records('frontier-adw')
          .map(({ value }) => /"value":"(.)/.exec(String(value))?.[1] ?? '');
      expect(events()).toEqual(['1']);
      const said = client.notices.filter((text) => text.includes('does not announce'));
      expect(said).toEqual([
        expect.stringMatching(
          /^source orders does not announce shop\.orders dt=2+: its event needs \d+ bytes; max\.message\.bytes of the topic frontier-adw is \d+$/,
        ),
      ]);
      client.kafka.limits.clear();
      client.kafka.tellsLimits = true;
      vi.advanceTimersByTime(61_000);
      await until('it is announced', () => events().length === 2);
      expect(events()).toEqual(['1', '2']);
    });
  },
);
