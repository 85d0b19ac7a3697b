import { describe, expect, it } from 'vitest';
import { parseAnnouncement } from '../../src/messages/index.ts';

function read(line: unknown): unknown {
  const parsed = parseAnnouncement(typeof line === 'string' ? line : JSON.stringify(line));
  return parsed.ok ? parsed.message : parsed.rejection;
}

describe('a line of $HIPPO_EVENTS_FILE', () => {
  it('names id, table and partition; other fields are passed on', () => {
    expect(
      read({
        id: 7,
        table: 'btd.party',
        partition: { yyyymm: 201704, region: 'eu' },
        landed_at: '2017-04-28T12:00:00Z',
        method: 'append',
        rows: 3,
      }),
    ).toEqual({
      id: '7',
      db: 'btd',
      table: 'party',
      partition: [
        { name: 'yyyymm', value: '201704' },
        { name: 'region', value: 'eu' },
      ],
      landedAt: 1_493_380_800,
      method: 'append',
      extra: { rows: 3 },
    });
  });

  it('may have its partition as a path, or none', () => {
    const levels = [{ name: 'yyyymm', value: '201704' }];
    expect(read({ id: 'a', table: 'btd.party', partition: 'yyyymm=201704' })).toMatchObject({
      partition: levels,
    });
    expect(read({ id: 'a', table: 'btd.party' })).toMatchObject({ partition: [] });
  });

  it.each([
    ['[1]', { reason: 'must be a JSON object, not a list' }],
    ['{"id": 1, "table": ', {}],
    [{ table: 'btd.party' }, { key: 'id' }],
    [
      { id: ' ', table: 'btd.party' },
      { key: 'id', reason: 'must not be blank' },
    ],
    [{ id: 1 }, { key: 'table' }],
    [
      { id: 1, table: 'party' },
      { key: 'table', reason: 'must be db.table, such as btd.party' },
    ],
    [
      { id: 1, table: 'a.b.c' },
      { key: 'table', reason: 'must be db.table, such as btd.party' },
    ],
    [{ id: 1, table: 'a.b', partition: [1] }, { key: 'partition' }],
    [{ id: 1, table: 'a.b', partition: 'dt=' }, { key: 'partition' }],
    [{ id: 1, table: 'a.b', partition: { dt: '' } }, { key: 'partition.dt' }],
    [{ id: 1, table: 'a.b', landed_at: 'yesterday' }, { key: 'landed_at' }],
  ])('%j is refused, by the key', (line, rejection) => {
    expect(read(line)).toMatchObject(rejection);
    expect(read(line)).toHaveProperty('reason');
  });
});
