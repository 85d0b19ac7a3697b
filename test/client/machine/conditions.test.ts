import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecordFields } from '../../../src/conditions/record.ts';
import { type FrontierEvent, parseFrontier } from '../../../src/messages/index.ts';
import type { Json } from '../../../src/core/json.ts';
import { Hippo, type JobYaml, NOON, SECOND, compiled, daily, finishOf, landing, notices } from './hippo.ts';

const EXEC = NOON / SECOND;
const WHEN = 'value.method == "overwrite_partition" && value.rows > 0';

/** A landing whose message has these fields besides. */
const event = (
  extra: Record<string, Json>,
  method = 'overwrite_partition',
  execDate = EXEC,
): FrontierEvent => ({
  ...landing('btd.party', 'dt=2017-04-28', execDate),
  method,
  extra,
});

describe('a table that is needed on a condition', () => {
  const load: JobYaml = { every: 'day', needs: [{ ...daily('btd.party'), when: WHEN }] };

  it('lands by a message that meets it', () => {
    const hippo = new Hippo({ load });
    hippo.read(event({ rows: 3 }));
    expect(hippo.fired).toEqual(['load 2017-04-28']);
  });

  it.each([
    ['false', event({ rows: 0 }), `the condition ${WHEN} is false`],
    [
      'asks for a field that is missing',
      event({}),
      `the condition ${WHEN} cannot be judged, so it counts as false: No such key: rows`,
    ],
    [
      'compares text with a number',
      event({ rows: 'three' }),
      `the condition ${WHEN} cannot be judged, so it counts as false: no such overload: dyn<string> > int`,
    ],
  ])('has not landed where the condition is %s', (_, message, why) => {
    const hippo = new Hippo({ load });
    const before = hippo.records.size;
    expect(notices(hippo.read(message))).toEqual([
      `info: load passes over btd.party dt=2017-04-28 (frontier 0:1): ${why}`,
    ]);
    expect(hippo.records.size).toBe(before);
    expect(hippo.statuses).toEqual({});
  });

  it('lands by a later message with the same exec_date: what was passed over leaves no version behind', () => {
    const hippo = new Hippo({ load });
    hippo.read(event({ rows: 0 }));
    hippo.read(event({ rows: 1 }));
    expect(hippo.fired).toEqual(['load 2017-04-28']);
  });

  it('is not passed over with a word where the message is of a partition that no run needs', () => {
    const hippo = new Hippo({ load });
    expect(notices(hippo.read(landing('btd.party', 'region=us')))).toEqual([]);
  });

  it('lands again only by a message that meets it', () => {
    const hippo = new Hippo({ load });
    hippo.read(event({ rows: 3 }));
    hippo.exit('load', '2017-04-28');
    hippo.read(event({ rows: 0 }, 'overwrite_partition', EXEC + 1));
    expect(hippo.fired).toHaveLength(1);
    hippo.read(event({ rows: 1 }, 'overwrite_partition', EXEC + 1));
    expect(hippo.fired).toHaveLength(2);
  });
});

describe('a condition', () => {
  it.each<[string, JobYaml['needs']]>([
    ['any_of', [{ any_of: [{ ...daily('btd.party'), when: 'value.rows > 0' }, daily('btd.other')] }]],
    ['of', [{ at_least: 1, of: [{ ...daily('btd.party'), when: 'value.rows > 0' }, daily('btd.other')] }]],
    [
      'each',
      [
        {
          each: { dt: ['2017-04-28'] },
          table: 'btd.party',
          partition: { dt: '{{ window }}' },
          when: 'value.rows > 0',
        },
      ],
    ],
  ])('holds inside %s', (_, needs) => {
    const hippo = new Hippo({ load: { every: 'day', needs } });
    hippo.read(event({ rows: 0 }));
    expect(hippo.fired).toEqual([]);
    hippo.read(event({ rows: 1 }));
    expect(hippo.fired).toEqual(['load 2017-04-28']);
  });

  it('may look into the result of another job', () => {
    const needs = [{ job: 'sales/load', when: 'value.result.rows > 1000' }];
    const hippo = new Hippo({ report: { every: 'day', needs } });
    hippo.read(finishOf('sales/load', { runKey: '2017-04-28', extra: { result: { rows: 10 } } }));
    hippo.read(finishOf('sales/load', { runKey: '2017-04-29', extra: { result: { rows: 2_000 } } }));
    expect(hippo.fired).toEqual(['report 2017-04-29']);
  });

  it('sees the record as it is on the wire: its digits, headers and place', () => {
    const when =
      'value.id == 9007199254740993 && value.exec_date == "1493380800" && headers.origin == "crm" && ' +
      'key == "btd.party" && partition == 3 && offset == 7 && timestamp > timestamp("2017-04-28T00:00:00Z")';
    const hippo = new Hippo({ load: { every: 'day', needs: [{ ...daily('btd.party'), when }] } });
    const text =
      '{"db":"btd","table":"party","partition":[{"name":"dt","value":"2017-04-28"}],"method":"append","exec_date":"1493380800","id":9007199254740993}';
    const parsed = parseFrontier(text);
    if (!parsed.ok) throw new Error(parsed.rejection.reason);
    const record = new RecordFields({
      topic: 'frontier',
      partition: 3,
      offset: 7n,
      timestamp: NOON,
      key: Buffer.from('btd.party'),
      headers: { origin: Buffer.from('crm') },
      value: Buffer.from(text),
    });
    const from = { topic: 'frontier', partition: 3, offset: '7' };
    hippo.tell({ type: 'message', at: NOON, from, message: parsed.message, record });
    expect(hippo.fired).toEqual(['load 2017-04-28']);
  });

  it('decides whether a service reloads', () => {
    const services = {
      api: {
        run: './api',
        reload_on: [{ table: 'btd.party', when: 'value.rows > 0' }],
        reload: { signal: 'SIGHUP' as const },
      },
    };
    const hippo = new Hippo({ load: { needs: [{ table: 'btd.none' }] } }, { services });
    hippo.read(event({ rows: 0 }));
    expect(hippo.state.services.get('api')).toBeUndefined();
    hippo.read(event({ rows: 1 }));
    expect(hippo.state.services.get('api')?.reload?.from.offset).toBe('2');
  });

  it.each([
    ['value.rows >', /Unexpected token: EOF \(character \d+\)/, /a condition such as value\.method/],
    ['rows > 0', /Unknown variable: rows/, /It may name topic, partition, offset, .* value\.rows\./],
    ['value.rows = 0', /Unexpected|Expected/, /Equality is ==\./],
    ['partition', /it is int, not true or false/, /a condition such as/],
  ])('is refused: %s', (when, message, allowed) => {
    const result = compiled({
      load: { every: 'day', needs: [daily('btd.x'), { ...daily('btd.party'), when }] },
    });
    expect(result).toMatchObject({
      ok: false,
      problems: [
        {
          path: ['jobs', 'load', 'needs', 1, 'when'],
          message: expect.stringMatching(message) as string,
          allowed: expect.stringMatching(allowed) as string,
        },
      ],
    });
  });
});

interface Landed {
  table: string;
  day: string;
  version: number;
  rows: number | undefined;
}
const landed: fc.Arbitrary<Landed> = fc.record({
  table: fc.constantFrom('a.a', 'a.b'),
  day: fc.constantFrom('2017-04-27', '2017-04-28'),
  version: fc.integer({ min: 1, max: 4 }),
  rows: fc.constantFrom(undefined, 0, 1, 2),
});

describe('property', () => {
  it('a need with a condition behaves as if the events that do not meet it did not exist', () => {
    const needs = [{ ...daily('a.a'), when: 'value.rows > 0' }, daily('a.b')];
    const meets = ({ table, rows = 0 }: Landed): boolean => table !== 'a.a' || rows > 0;
    fc.assert(
      fc.property(fc.array(landed, { maxLength: 20 }), fc.boolean(), (events, ends) => {
        const all = new Hippo({ load: { every: 'day', needs } });
        const some = new Hippo({ load: { every: 'day', needs: [daily('a.a'), daily('a.b')] } });
        for (const { table, day, version, rows } of events) {
          const message = {
            ...landing(table, `dt=${day}`, version),
            extra: rows === undefined ? {} : { rows },
          };
          const next = { table, day, version, rows };
          for (const hippo of meets(next) ? [all, some] : [all]) {
            hippo.read(message);
            if (!ends) continue;
            for (const { job, key, attemptId } of hippo.submissions) {
              const run = hippo.run(job, key);
              if (run.status === 'running' && run.attemptId === attemptId) hippo.exit(job, key);
            }
          }
        }
        expect(all.fired).toEqual(some.fired);
        expect(all.statuses).toEqual(some.statuses);
        const versions = (hippo: Hippo): unknown[] =>
          [...hippo.state.landings].map(([key, { version }]) => [key, version]).sort();
        expect(versions(all)).toEqual(versions(some));
      }),
      { numRuns: 60 },
    );
  });
});
