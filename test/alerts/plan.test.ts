import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type History,
  type KnownAlert,
  NO_HISTORY,
  OLD,
  type Policy,
  type Told,
  afterDelivery,
  planDelivery,
} from '../../src/alerts/plan.ts';
import { quietEnd } from '../../src/alerts/quiet.ts';
import { ALERT_CONDITIONS, type AlertCondition } from '../../src/messages/types.ts';
import { openZone } from '../../src/windows/index.ts';

const zone = openZone('Europe/Berlin');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** A Friday in summer, 12:00 in Berlin. */
const NOON = Date.UTC(2026, 5, 12, 10);
const GROUP_WAIT = 10_000;

const POLICY: Policy = {
  conditions: null,
  tellsEnds: true,
  quiet: null,
  rate: { messages: 20, per: HOUR },
  repeat: null,
};
const NIGHT = { from: '22:00', to: '07:00', except: new Set<AlertCondition>(['deadline']) };

interface Happening {
  at: number;
  condition: AlertCondition;
  /** Left out: it stays open. */
  over?: number;
}

type Message = { at: number; told: readonly Told[]; taken: boolean };

/** Lets a receiver live until `until`: it is looked at whenever the plan says, or something happens. */
function live(
  policy: Policy,
  happenings: readonly Happening[],
  { until, takes = () => true }: { until: number; takes?: (message: number) => boolean },
): { messages: Message[]; taken: Map<string, Told['state']>; looks: number } {
  const taken = new Map<string, Told['state']>();
  const messages: Message[] = [];
  const times = happenings
    .flatMap(({ at, over }) => (over === undefined ? [at] : [at, over]))
    .sort((a, b) => a - b);
  let history: History = NO_HISTORY;
  let looks = 0;
  let now = times[0] ?? until;
  while (now <= until) {
    const known = happenings.flatMap(({ at, condition, over }, index): KnownAlert[] => {
      const id = String(index);
      if (at > now) return [];
      const ended = over !== undefined && over <= now ? { resolvedAt: over } : {};
      return [
        { id, alert: { condition, subject: 'load', text: id, since: at, ...ended }, taken: taken.get(id) },
      ];
    });
    const plan = planDelivery(policy, history, known, { now, zone, groupWait: GROUP_WAIT });
    looks += 1;
    history = plan.history;
    for (const { id, state } of plan.settled) taken.set(id, state);
    if (plan.send.length > 0) {
      const isTaken = takes(messages.length);
      messages.push({ at: now, told: plan.send, taken: isTaken });
      history = afterDelivery(
        policy,
        history,
        isTaken ? { kind: 'taken' } : { kind: 'failed', retryAfter: null },
        {
          at: now,
          isSent: true,
        },
      );
      if (isTaken) for (const { id, state } of plan.send) taken.set(id, state);
      continue;
    }
    const after = now;
    const next = times.find((time) => time > after) ?? Infinity;
    expect(plan.wakeAt ?? Infinity).toBeGreaterThan(now);
    now = Math.min(plan.wakeAt ?? Infinity, next);
  }
  return { messages, taken, looks };
}

const failed = (at: number, over?: number): Happening => ({
  at,
  condition: 'failed',
  ...(over === undefined ? {} : { over }),
});
const sizes = ({ messages }: { messages: readonly Message[] }): [seconds: number, alerts: number][] =>
  messages.map(({ at, told }) => [(at - NOON) / 1000, told.length]);

describe('alerts are sent to a receiver', () => {
  it('all together that begin within the group wait of the first', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => failed(NOON + index * 90));
    expect(sizes(live(POLICY, hundred, { until: NOON + HOUR }))).toEqual([[10, 100]]);
  });

  it('and again when they are over, also where that is so before they were sent', () => {
    const { messages } = live(POLICY, [failed(NOON, NOON + 5_000), failed(NOON, NOON + MINUTE)], {
      until: NOON + HOUR,
    });
    expect(messages.map(({ told }) => told.map(({ state }) => state))).toEqual([
      ['resolved', 'firing'],
      ['resolved'],
    ]);
  });

  it('at the rate at most, and what waits is in the next message', () => {
    const policy = { ...POLICY, rate: { messages: 2, per: HOUR } };
    const each = Array.from({ length: 6 }, (_, index) => failed(NOON + index * MINUTE));
    expect(sizes(live(policy, each, { until: NOON + 3 * HOUR }))).toEqual([
      [10, 1],
      [70, 1],
      [3610, 4],
    ]);
  });

  it('not in quiet hours, but for the conditions that are excepted', () => {
    const late = NOON + 11 * HOUR;
    const policy = { ...POLICY, quiet: NIGHT };
    const { messages } = live(policy, [failed(late), { at: late, condition: 'deadline' }], {
      until: NOON + 24 * HOUR,
    });
    expect(messages.map(({ at, told }) => [new Date(at).toISOString(), told.map(({ id }) => id)])).toEqual([
      ['2026-06-12T21:00:10.000Z', ['1']],
      // 07:00 in Berlin, and the group wait.
      ['2026-06-13T05:00:10.000Z', ['0']],
    ]);
  });

  it('only of the conditions that it gets, and without ends where it does not want them', () => {
    const policy = { ...POLICY, conditions: new Set<AlertCondition>(['failed']), tellsEnds: false };
    const { messages, taken } = live(
      policy,
      [failed(NOON, NOON + MINUTE), { at: NOON, condition: 'paused', over: NOON + MINUTE }],
      {
        until: NOON + HOUR,
      },
    );
    expect(messages.map(({ told }) => told)).toEqual([[{ id: '0', state: 'firing' }]]);
    // They can be forgotten.
    expect([...taken.values()]).toEqual(['resolved', 'resolved']);
  });

  it('again after failures, with longer and longer pauses', () => {
    const { messages } = live(POLICY, [failed(NOON)], {
      until: NOON + HOUR,
      takes: (message) => message === 5,
    });
    expect(messages.map(({ at }) => (at - NOON) / 1000)).toEqual([10, 11, 13, 17, 25, 41]);
  });

  it('again and again where the receiver wants that, at once and until they are over', () => {
    const policy = { ...POLICY, rate: null, repeat: MINUTE };
    const { messages } = live(policy, [failed(NOON, NOON + 150_000), failed(NOON + 90_000)], {
      until: NOON + 200_000,
    });
    expect(
      messages.map(({ at, told }) => [(at - NOON) / 1000, told.map(({ id, state }) => `${id} ${state}`)]),
    ).toEqual([
      [0, ['0 firing']],
      [60, ['0 firing']],
      [90, ['0 firing', '1 firing']],
      [150, ['1 firing', '0 resolved']],
    ]);
  });

  it('no more when they have been over for long: the receiver may be gone for ever', () => {
    const { taken } = live(POLICY, [failed(NOON, NOON + 1)], {
      until: NOON + OLD + HOUR,
      takes: () => false,
    });
    expect([...taken.values()]).toEqual(['resolved']);
  });

  it('at the same pace when the clock is put back', () => {
    const history = { waitingSince: NOON, sent: [NOON], failing: null, repeatedAt: null };
    const known = [
      { id: '0', alert: { condition: 'failed', subject: 'load', text: '', since: NOON }, taken: undefined },
    ] as const;
    const now = NOON - HOUR;
    expect(planDelivery(POLICY, history, known, { now, zone, groupWait: GROUP_WAIT }).wakeAt).toBe(
      now + GROUP_WAIT,
    );
  });
});

const happening = fc
  .record({
    at: fc.integer({ min: 0, max: 40 * 60 }),
    condition: fc.constantFrom(...ALERT_CONDITIONS),
    lasts: fc.option(fc.integer({ min: 0, max: 600 }), { nil: undefined }),
  })
  .map(({ at, condition, lasts }): Happening => ({
    at: NOON + at * MINUTE,
    condition,
    ...(lasts === undefined ? {} : { over: NOON + (at + lasts) * MINUTE }),
  }));

it('nothing is lost, nothing is sent beyond the rate or in quiet hours, no end before its beginning', () => {
  fc.assert(
    fc.property(
      fc.array(happening, { maxLength: 30 }),
      fc.array(fc.boolean(), { maxLength: 20 }),
      fc.integer({ min: 1, max: 5 }),
      (happenings, failures, most) => {
        const rate = { messages: most, per: HOUR };
        const { messages, taken, looks } = live({ ...POLICY, quiet: NIGHT, rate }, happenings, {
          until: NOON + 5 * 24 * HOUR,
          takes: (message) => failures[message] !== true,
        });
        expect(looks).toBeLessThan(20 * (happenings.length + failures.length + 5));
        happenings.forEach(({ over }, index) =>
          expect(taken.get(String(index))).toBe(over === undefined ? 'firing' : 'resolved'),
        );
        messages.forEach(({ at, told }, index) => {
          const within = messages.slice(0, index + 1).filter((message) => message.at > at - HOUR);
          expect(within.length).toBeLessThanOrEqual(most);
          if (quietEnd(NIGHT, zone, at) !== null)
            expect(told.every(({ id }) => happenings[Number(id)]?.condition === 'deadline')).toBe(true);
        });
        const states = new Map<string, Told['state'][]>();
        for (const { told, taken: isTaken } of messages)
          if (isTaken) for (const { id, state } of told) states.set(id, [...(states.get(id) ?? []), state]);
        for (const seen of states.values())
          expect([['firing'], ['resolved'], ['firing', 'resolved']]).toContainEqual(seen);
      },
    ),
    { numRuns: 150 },
  );
});

it.each([
  ['before', '22:00', '07:00', '2026-06-12T19:59:59Z', null],
  ['from its beginning on', '22:00', '07:00', '2026-06-12T20:00:00Z', '2026-06-13T05:00:00.000Z'],
  ['after midnight', '22:00', '07:00', '2026-06-12T23:00:00Z', '2026-06-13T05:00:00.000Z'],
  ['until its end', '22:00', '07:00', '2026-06-13T05:00:00Z', null],
  ['within a day', '12:00', '14:00', '2026-06-12T10:30:00Z', '2026-06-12T12:00:00.000Z'],
  // 02:30 is skipped: the clock shows 03:00 at 01:00 UTC.
  ['to a time that is skipped', '22:00', '02:30', '2026-03-29T00:00:00Z', '2026-03-29T01:00:00.000Z'],
  // The clock goes from 03:00 back to 02:00 at 01:00 UTC.
  [
    'to a time that comes twice, before the change',
    '22:00',
    '02:30',
    '2026-10-24T23:00:00Z',
    '2026-10-25T00:30:00.000Z',
  ],
])('quiet hours, %s', (_, from, to, at, end) => {
  const found = quietEnd({ from, to }, zone, Date.parse(at));
  expect(found === null ? null : new Date(found).toISOString()).toBe(end);
});
