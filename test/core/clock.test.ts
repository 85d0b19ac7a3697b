import { expect, it } from 'vitest';
import { SteadyClock } from '../../src/core/clock.ts';

/** A machine's two clocks, and what is done to them. */
function machine() {
  const time = { wall: 1_000_000, monotonic: 500.25 };
  const clock = new SteadyClock(
    () => time.wall,
    () => time.monotonic,
  );
  const pass = (millis: number): void => {
    time.wall += millis;
    time.monotonic += millis;
  };
  return { time, clock, pass };
}

it('begins with the time of the wall clock, in whole milliseconds', () => {
  const { clock, pass } = machine();
  expect(clock.now()).toBe(1_000_000);
  pass(1_234);
  expect(clock.now()).toBe(1_001_234);
  expect(clock.jump).toBe(0);
});

it.each([3_600_000, -3_600_000, 2_000, -2_000])('does not jump with the wall clock by %i ms', (by) => {
  const { time, clock, pass } = machine();
  pass(1_000);
  time.wall += by;
  pass(1_000);
  expect(clock.now()).toBe(1_002_000);
  expect(clock.jump).toBe(by);
  clock.follow(by);
  expect([clock.now(), clock.jump]).toEqual([1_002_000 + by, 0]);
});

it('small corrections of the wall clock are no jumps before they add up to one', () => {
  const { time, clock } = machine();
  time.wall += 1_900;
  expect(clock.jump).toBe(0);
  time.wall += 100;
  expect(clock.jump).toBe(2_000);
});

it('a machine that has slept has jumped ahead: its monotonic clock stood still', () => {
  const { time, clock } = machine();
  time.wall += 8 * 3_600_000;
  expect(clock.jump).toBe(8 * 3_600_000);
});

it('a process that was stopped between two readings has not seen a jump', () => {
  let monotonic = 0;
  const clock = new SteadyClock(
    // The process is stopped for a minute after the monotonic clock was read, and before the wall clock is.
    () => 1_000_000 + (monotonic += monotonic === 0 ? 0 : 60_000),
    () => (monotonic += 1),
  );
  expect(clock.jump).toBe(0);
});
