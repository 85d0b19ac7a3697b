import { expect, test } from 'vitest';
import {
  type Positions,
  listPositions,
  nextOffset,
  parseStateRecord,
  positionsToJson,
  samePositions,
  sinceOf,
  withPosition,
  withSince,
} from '../../src/state/index.ts';

const at = (partition: number, offset: bigint, topicId?: string) => ({
  topic: 't',
  topicId,
  partition,
  offset,
});
const positions = (...of: ReturnType<typeof at>[]): Positions =>
  of.reduce<Positions>(withPosition, new Map());

test.each([
  ['with the id of the topic', 'id', { t: { topicId: 'id', next: { 0: '9007199254740993', 2: '0' } } }],
  ['without one', undefined, { t: { next: { 0: '9007199254740993', 2: '0' } } }],
])('are written %s, and read', (_, id, json) => {
  const written = positions(at(0, 9007199254740993n, id), at(2, 0n, id));
  expect(positionsToJson(written)).toEqual(json);
  const record = parseStateRecord({ kind: 'offsets', hippo: 'etl' }, json);
  expect(record).toEqual({ kind: 'offsets', hippo: 'etl', positions: written });
});

test('what is not a position is left out', () => {
  const json = { t: { topicId: 7, next: { 0: '1', x: '1', 1: -1, 2: null } }, u: 'x', v: {} };
  const record = parseStateRecord({ kind: 'offsets', hippo: 'etl' }, json);
  expect(record?.kind === 'offsets' && listPositions(record.positions)).toEqual([
    { topic: 't', partition: 0, offset: 1n },
  ]);
});

test('a position of another topic of that name takes the place of all of its positions', () => {
  expect(positions(at(0, 5n, 'old'), at(1, 5n, 'old'), at(1, 2n, 'new'))).toEqual(
    positions(at(1, 2n, 'new')),
  );
});

test('a position without an id belongs to the topic that is known', () => {
  expect(positions(at(0, 5n, 'id'), at(1, 2n))).toEqual(positions(at(0, 5n, 'id'), at(1, 2n, 'id')));
});

test.each([
  ['id', 5n],
  [undefined, 5n],
  ['other', undefined],
])('the next offset for the id %s', (topicId, next) => {
  expect(nextOffset(positions(at(0, 5n, 'id')), { topic: 't', topicId, partition: 0 })).toBe(next);
});

test('keep since when a topic is read, of which some partitions could not be read then', () => {
  const unread = withSince(new Map(), { topic: 't', topicId: 'id' }, 1_493_394_946_000);
  expect(listPositions(unread)).toEqual([]);
  const part = withPosition(unread, at(0, 5n, 'id'));
  expect(positionsToJson(part)).toEqual({ t: { topicId: 'id', since: 1_493_394_946_000, next: { 0: '5' } } });
  for (const written of [unread, part]) {
    const record = parseStateRecord({ kind: 'offsets', hippo: 'etl' }, positionsToJson(written));
    expect(record).toEqual({ kind: 'offsets', hippo: 'etl', positions: written });
    expect(sinceOf(written, { topic: 't', topicId: 'id' })).toBe(1_493_394_946_000);
    expect(sinceOf(written, { topic: 't', topicId: 'other' })).toBeUndefined();
    expect(samePositions(written, withSince(written, { topic: 't' }, undefined))).toBe(false);
  }
  expect(samePositions(new Map(), unread)).toBe(false);
  expect(withSince(part, { topic: 't', topicId: 'id' }, undefined)).toEqual(positions(at(0, 5n, 'id')));
  expect(withPosition(part, at(0, 1n, 'other'))).toEqual(positions(at(0, 1n, 'other')));
});

test('differ by the id alone', () => {
  expect(samePositions(positions(at(0, 5n, 'old')), positions(at(0, 5n, 'new')))).toBe(false);
  expect(samePositions(positions(at(0, 5n)), positions(at(0, 5n, 'new')))).toBe(false);
  expect(samePositions(positions(at(0, 5n, 'new')), positions(at(0, 5n, 'new')))).toBe(true);
});

test('a position that is known changes nothing, and an id that was not known is taken', () => {
  const known = positions(at(0, 5n));
  expect(withPosition(known, at(0, 5n))).toBe(known);
  const named = withPosition(known, at(0, 5n, 'id'));
  expect(named.get('t')?.topicId).toBe('id');
  expect(withPosition(named, at(0, 5n, 'id'))).toBe(named);
  expect(nextOffset(withPosition(named, at(0, 5n, 'other')), at(0, 0n, 'other'))).toBe(5n);
  expect(nextOffset(withPosition(named, at(0, 6n, 'id')), at(0, 0n, 'id'))).toBe(6n);
});
