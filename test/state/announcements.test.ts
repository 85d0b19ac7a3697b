import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Announcement,
  type AnnouncementChange,
  NO_ANNOUNCEMENTS,
  countAnnouncements,
  eachAnnouncement,
  findAnnouncement,
  fingerprintOf,
  landingHash,
  updateAnnouncements,
} from '../../src/state/announcements.ts';
import { isBucket } from '../../src/state/bucket.ts';

const landed = (execDate: number): Announcement => ({ fingerprint: 7, execDate, unlistedSince: null });

function changeOf(id: string, to: Announcement | null): AnnouncementChange {
  return { hash: landingHash(id), to };
}

describe('landingHash', () => {
  // The published test vectors of FNV-1a, 64 bit.
  it.each([
    ['', 'cbf29ce484222325'],
    ['a', 'af63dc4c8601ec8c'],
    ['foobar', '85944171f73967e8'],
  ])('of %j is that of FNV-1a', (text, expected) => {
    const { high, low } = landingHash(text);
    expect([high, low].map((half) => half.toString(16).padStart(8, '0')).join('')).toBe(expected);
  });

  it('is another one for each of 200,000 partitions', () => {
    const seen = new Set<bigint>();
    for (let index = 0; index < 200_000; index++) {
      const { high, low } = landingHash(`dt=2020-01-01/hour=${index % 24}/shop=${index}`);
      seen.add((BigInt(high) << 32n) | BigInt(low));
    }
    expect(seen.size).toBe(200_000);
  });

  it('tells texts of other scripts apart', () => {
    expect(landingHash('region=台北')).not.toEqual(landingHash('region=台中'));
    expect(fingerprintOf('1700000000000/12')).not.toBe(fingerprintOf('1700000000000/13'));
  });
});

describe('announcements', () => {
  it('hold what any sequence of changes leaves', () => {
    const change = fc.tuple(
      fc.integer({ min: 0, max: 2_500 }).map((number) => `p=${number}`),
      fc.option(
        fc.record({
          fingerprint: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
          execDate: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
          unlistedSince: fc.option(fc.integer({ min: 1, max: 2 ** 32 - 1 })),
        }),
      ),
    );
    const step = fc.uniqueArray(change, { selector: ([id]) => id, maxLength: 1_500, size: 'max' });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 4 }), (steps) => {
        let announcements = NO_ANNOUNCEMENTS;
        const topic = new Map<string, Uint8Array>();
        const expected = new Map<string, Announcement>();
        for (const changes of steps) {
          const updated = updateAnnouncements(
            announcements,
            changes.map(([id, to]) => changeOf(id, to)),
          );
          announcements = updated.announcements;
          for (const [bits, bucket] of updated.written)
            if (bucket === null) topic.delete(bits);
            else topic.set(bits, bucket);
          for (const [id, to] of changes)
            if (to === null) expected.delete(id);
            else expected.set(id, to);
        }
        for (let number = 0; number <= 2_500; number++)
          expect(findAnnouncement(announcements, landingHash(`p=${number}`))).toEqual(
            expected.get(`p=${number}`),
          );
        expect(countAnnouncements(announcements)).toBe(expected.size);
        // What was written is what is held.
        expect(announcements.toObject()).toEqual(Object.fromEntries(topic));
        for (const bucket of topic.values()) {
          expect(isBucket(bucket)).toBe(true);
          expect(bucket.length).toBeLessThan(64 * 1024);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('takes 20 bytes a landing, and a new one rewrites one bucket', () => {
    const ids = Array.from({ length: 100_000 }, (_, index) => `dt=2026-01-01/shop=${index}`);
    const { announcements } = updateAnnouncements(
      NO_ANNOUNCEMENTS,
      ids.map((id) => changeOf(id, landed(1))),
    );
    const bytes = [...announcements.values()].reduce((sum, bucket) => sum + bucket.length, 0);
    expect(bytes / ids.length).toBeLessThan(20.1);
    const { written } = updateAnnouncements(announcements, [changeOf('dt=2026-01-02', landed(2))]);
    expect(written.size).toBe(1);
    let seen = 0;
    eachAnnouncement(announcements, (_, announcement) => {
      seen += announcement.execDate;
    });
    expect(seen).toBe(ids.length);
  });
});
