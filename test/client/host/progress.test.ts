import { Map as PersistentMap } from 'immutable';
import { describe, expect, it } from 'vitest';
import { InputProgress } from '../../../src/client/host/progress.ts';
import { newRun } from '../../../src/client/machine/firing.ts';
import type { Run } from '../../../src/client/machine/index.ts';
import { type InputState, type Positions, listPositions } from '../../../src/state/index.ts';

const TOPIC = 'frontier-adw';

/** `{0: 3, 1: 7}`: partition → next offset. */
function positions(of: Readonly<Record<number, number>>): Positions {
  return new Map([
    [TOPIC, new Map(Object.entries(of).map(([partition, offset]) => [Number(partition), BigInt(offset)]))],
  ]);
}

function at(partition: number, offset: number) {
  return { topic: TOPIC, partition, offset: BigInt(offset) };
}

function runWithInput(partition: number, offset: number): Run {
  const input: InputState = {
    topic: TOPIC,
    partition,
    offset: String(offset),
    need: 'btd.party',
    version: 1,
    values: {},
    at: 0,
  };
  return newRun({ job: 'load', key: '2017-04-28' }, PersistentMap({ 'btd.party': input }), 0);
}

function committedNext(progress: InputProgress, unfinished: Run[] = []): object | null {
  const next = progress.nextCommit(unfinished);
  return (
    next &&
    Object.fromEntries(listPositions(next).map(({ partition, offset }) => [partition, Number(offset)]))
  );
}

describe('what is written', () => {
  it('is what the state had when it was read', () => {
    const progress = new InputProgress();
    progress.restore(positions({ 0: 3 }));
    expect(progress.taken).toEqual(positions({ 0: 3 }));
    expect(progress.differsFromWritten(positions({ 0: 3 }))).toBe(false);
    expect(progress.differsFromWritten(positions({ 0: 4 }))).toBe(true);
  });

  it('does not move when messages are taken in without being written', () => {
    const progress = new InputProgress();
    progress.restore(positions({ 0: 3 }));
    progress.setTaken(positions({ 0: 5 }));
    expect(progress.differsFromWritten(progress.taken)).toBe(true);
    expect(committedNext(progress)).toEqual({ 0: 3 });
    progress.setWritten(positions({ 0: 5 }));
    expect(progress.differsFromWritten(progress.taken)).toBe(false);
    expect(committedNext(progress)).toEqual({ 0: 5 });
  });

  it('includes what is taken in with the same transaction', () => {
    const progress = new InputProgress();
    progress.setWritten(positions({ 0: 5 }));
    expect(progress.taken).toEqual(positions({ 0: 5 }));
  });

  it('differs by a partition that is read for the first time', () => {
    const progress = new InputProgress();
    progress.restore(positions({ 0: 3 }));
    expect(progress.differsFromWritten(positions({ 0: 3, 1: 0 }))).toBe(true);
  });
});

describe('what the group commits', () => {
  it('does not pass the input of a run that has not finished', () => {
    const progress = new InputProgress();
    progress.setWritten(positions({ 0: 9, 1: 9 }));
    expect(committedNext(progress, [runWithInput(0, 4), runWithInput(0, 6)])).toEqual({ 0: 4, 1: 9 });
  });

  it('does not go back when an older input holds a later run', () => {
    const progress = new InputProgress();
    progress.setWritten(positions({ 0: 9 }));
    progress.setCommitted(positions({ 0: 9 }));
    expect(committedNext(progress, [runWithInput(0, 4)])).toBeNull();
  });

  it('is nothing new once it is committed', () => {
    const progress = new InputProgress();
    progress.setWritten(positions({ 0: 9 }));
    progress.setCommitted(positions({ 0: 9 }));
    expect(committedNext(progress)).toBeNull();
    progress.setWritten(positions({ 0: 10 }));
    expect(committedNext(progress)).toEqual({ 0: 10 });
  });
});

describe('goals of --once', () => {
  it('are the ends at the start, whatever arrives later', () => {
    const progress = new InputProgress();
    progress.restore(positions({ 0: 0 }));
    progress.setStartingEnd(at(0, 3));
    progress.setTaken(positions({ 0: 2 }));
    expect(progress.hasReachedGoals()).toBe(false);
    progress.setEnd(at(0, 9));
    progress.setTaken(positions({ 0: 3 }));
    expect(progress.hasReachedGoals()).toBe(true);
    expect(progress.ends).toEqual(positions({ 0: 9 }));
  });

  it('include what the client has published itself', () => {
    const progress = new InputProgress();
    progress.restore(positions({ 0: 3 }));
    progress.setStartingEnd(at(0, 3));
    progress.addGoal(at(0, 5));
    expect(progress.hasReachedGoals()).toBe(false);
    progress.setWritten(positions({ 0: 5 }));
    expect(progress.hasReachedGoals()).toBe(true);
  });

  it('are reached where nothing has to be read', () => {
    expect(new InputProgress().hasReachedGoals()).toBe(true);
    const empty = new InputProgress();
    empty.setStartingEnd(at(0, 0));
    expect(empty.hasReachedGoals()).toBe(true);
  });
});

it('knows the partitions that are being read', () => {
  const progress = new InputProgress();
  progress.restore(positions({ 0: 0 }));
  expect(progress.knows(TOPIC, 0)).toBe(true);
  expect(progress.knows(TOPIC, 1)).toBe(false);
  expect(progress.knows('other', 0)).toBe(false);
});
