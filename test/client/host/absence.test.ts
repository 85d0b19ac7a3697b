import { afterEach, describe, expect, it, vi } from 'vitest';
import { CatchUp } from '../../../src/client/host/catch-up.ts';
import { SteadyClock } from '../../../src/core/clock.ts';
import type { TopicPartitionOffset } from '../../../src/kafka/port.ts';
import { HOUR, type JobYaml, MINUTE, NOON } from '../machine/hippo.ts';
import { Owned, until } from './owned.ts';

vi.setConfig({ testTimeout: 30_000 });

const HOURLY: JobYaml = {
  every: 'hour',
  needs: [{ table: 'a.a', partition: { h: '{{ window }}' } }],
  run: './job.sh',
  deadline: '1m',
};

/** A clock that tests move, as if the time had passed. */
function movedClock(): { clock: SteadyClock; pass: (millis: number) => void } {
  let passed = 0;
  const monotonic = (): number => performance.now() + passed;
  return {
    clock: new SteadyClock(() => NOON + monotonic(), monotonic),
    pass: (millis) => void (passed += millis),
  };
}

const owners: Owned[] = [];
afterEach(async () => {
  for (const one of owners.splice(0)) await one.lose();
});

describe('an owner', () => {
  it('misses a window for which nothing has landed, once, and none whose event waits to be read', async () => {
    const { clock, pass } = movedClock();
    const client = new Owned({ load: HOURLY }, { clock });
    owners.push(client);
    const missed = (): string[] => client.notices.filter((text) => text.startsWith('nothing has landed'));
    void client.own();
    await until('it owns', () => client.saw('owner').length === 1);
    pass(2 * HOUR + 2 * MINUTE);
    await until('13:00 is missed', () => missed().length > 0);
    expect(missed()).toEqual(['nothing has landed for load 2017-04-28T13 by its deadline']);

    await client.lose();
    pass(2 * HOUR);
    client.land('h=2017-04-28T14');
    void client.own();
    await until('15:00 is missed', () => missed().length > 1);
    expect(missed().slice(1)).toEqual(['nothing has landed for load 2017-04-28T15 by its deadline']);
  });
});

describe('catching up', () => {
  const END: TopicPartitionOffset = { topic: 'a', partition: 0, offset: 5n };

  it('comes to the time before it asked for the ends, when all up to them is read', async () => {
    let [now, position] = [100, 4n];
    const asked = Promise.withResolvers<TopicPartitionOffset[]>();
    const catchUp = new CatchUp({
      now: () => now,
      hasScanned: () => true,
      endsOf: () => asked.promise,
      hasRead: ({ offset }) => position >= offset,
    });
    expect(catchUp.look()).toBeUndefined();
    now = 200;
    asked.resolve([END]);
    await asked.promise;
    await Promise.resolve();
    expect(catchUp.look()).toBeUndefined();
    position = 5n;
    expect(catchUp.look()).toBe(100);
  });

  it('forgets what was asked for when reading starts again, and waits after a failure', async () => {
    const asks: PromiseWithResolvers<TopicPartitionOffset[]>[] = [];
    const catchUp = new CatchUp({
      now: () => 100,
      endsOf: () => {
        const asked = Promise.withResolvers<TopicPartitionOffset[]>();
        asks.push(asked);
        return asked.promise;
      },
      hasScanned: () => true,
      hasRead: () => true,
    });
    catchUp.look();
    catchUp.forget();
    asks[0]?.resolve([END]);
    await Promise.resolve();
    await Promise.resolve();
    expect(catchUp.look()).toBeUndefined();
    expect(asks).toHaveLength(2);
    asks[1]?.reject(new Error('away'));
    await vi.waitFor(() => {
      expect(catchUp.hasFailed).toBe(true);
    });
    expect(catchUp.look()).toBeUndefined();
    expect(asks).toHaveLength(2);
  });
});
