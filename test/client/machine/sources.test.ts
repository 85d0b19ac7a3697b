import { describe, expect, it } from 'vitest';
import { parsePartitionPath, partitionPath } from '../../../src/messages/partition.ts';
import type { Effect, ReportedLanding, ToldLanding } from '../../../src/client/machine/types.ts';
import type { SourceDefinition } from '../../../src/client/machine/definition.ts';
import { countAnnouncements, fingerprintOf, landingHash } from '../../../src/state/index.ts';
import { DAY, HOUR, Hippo, MINUTE, NOON, ORDERS, SECOND, daily, notices } from './hippo.ts';

function found(path: string, landedAt = NOON, what = `${landedAt}/0`): ToldLanding {
  const partition = parsePartitionPath(path) ?? [];
  return { id: path, hash: landingHash(path), partition, landedAt, fingerprint: fingerprintOf(what) };
}

class Frontier extends Hippo {
  #scans = 0;

  constructor(source: Partial<SourceDefinition> = {}) {
    super({}, { sources: [{ ...ORDERS, ...source }], keep: 62 * DAY });
  }

  /** A complete scan that lists these. @returns what it says that it has announced */
  scan(landings: readonly ToldLanding[], unlisted: readonly string[] = []): Effect[] {
    this.#scans += 1;
    const scan = this.#scans;
    const told = this.tell({ type: 'landings-found', at: this.now, source: 'orders', scan, landings });
    const missed = unlisted.map(landingHash);
    this.tell({ type: 'landings-missed', at: this.now, source: 'orders', missed });
    this.tell({
      type: 'scan-ended',
      at: this.now,
      source: 'orders',
      scan: {
        number: scan,
        isComplete: true,
        hasListed: true,
        took: 5,
        listed: landings.length,
        skipped: 0,
        skips: [],
      },
    });
    return told.filter(({ type }) => type === 'announced');
  }

  /** `dt=2017-04-28 @<exec_date>` of each event, in order. */
  get events(): string[] {
    return this.announced.map(
      ({ partitions: [partition = []], execDate }) => `${partitionPath(partition)} @${execDate}`,
    );
  }

  get known(): number {
    const source = this.state.sources.get('orders');
    return source === undefined ? 0 : countAnnouncements(source.announcements);
  }
}

const AT = NOON / SECOND;

describe('a source', () => {
  it('announces each landing once, whoever scans again', () => {
    const frontier = new Frontier();
    const landings = [found('dt=2017-04-27'), found('dt=2017-04-28')];
    expect(frontier.scan(landings)).toEqual([
      {
        type: 'announced',
        source: 'orders',
        table: 'shop.orders',
        landings: [
          { partition: 'dt=2017-04-27', execDate: AT },
          { partition: 'dt=2017-04-28', execDate: AT },
        ],
      },
    ]);
    frontier.wait(MINUTE);
    expect(frontier.scan(landings)).toEqual([]);
    frontier.restart();
    expect(frontier.scan(landings)).toEqual([]);
    expect(frontier.events).toEqual([`dt=2017-04-27 @${AT}`, `dt=2017-04-28 @${AT}`]);
    expect(frontier.announced[0]).toMatchObject({
      db: 'shop',
      table: 'orders',
      method: 'partition',
      extra: { announced_by: { hippo_name: 'etl', source: 'orders' } },
    });
  });

  it('gives an event the time of its landing, and not one that has yet to come', () => {
    const frontier = new Frontier();
    frontier.scan([found('dt=2017-04-26', NOON - 2 * DAY), found('dt=2099-01-01', NOON + DAY)]);
    expect(frontier.events).toEqual([`dt=2017-04-26 @${AT - 172_800}`, `dt=2099-01-01 @${AT}`]);
  });

  it('announces what has landed again with a later exec_date, also within a second', () => {
    const frontier = new Frontier();
    frontier.scan([found('dt=2017-04-28', NOON, 'first')]);
    frontier.scan([found('dt=2017-04-28', NOON, 'second')]);
    frontier.restart();
    frontier.scan([found('dt=2017-04-28', NOON - HOUR, 'restored from a copy of an hour ago')]);
    expect(frontier.events).toEqual([AT, AT + 1, AT + 2].map((time) => `dt=2017-04-28 @${time}`));
  });

  it('announces what is listed twice in one scan once', () => {
    const frontier = new Frontier();
    frontier.scan([found('dt=2017-04-28'), found('dt=2017-04-28')]);
    expect(frontier.events).toHaveLength(1);
  });

  it('waits until a landing has not changed for `settle`', () => {
    const frontier = new Frontier({ settle: MINUTE });
    frontier.scan([found('dt=2017-04-28', NOON, 'half')]);
    frontier.wait(50 * SECOND);
    frontier.scan([found('dt=2017-04-28', NOON, 'whole')]);
    frontier.wait(50 * SECOND);
    frontier.scan([found('dt=2017-04-28', NOON, 'whole')]);
    expect(frontier.events).toEqual([]);
    frontier.wait(10 * SECOND);
    frontier.scan([found('dt=2017-04-28', NOON, 'whole')]);
    expect(frontier.events).toEqual([`dt=2017-04-28 @${AT}`]);
  });

  it('counts `settle` by the time that passes, not by a clock that is set', () => {
    const frontier = new Frontier({ settle: MINUTE });
    frontier.scan([found('dt=2017-04-28')]);
    frontier.jump(HOUR);
    frontier.scan([found('dt=2017-04-28')]);
    expect(frontier.events).toEqual([]);
    frontier.wait(MINUTE);
    frontier.scan([found('dt=2017-04-28')]);
    expect(frontier.events).toHaveLength(1);
  });

  it('forgets what was gone before it had settled', () => {
    const frontier = new Frontier({ settle: MINUTE });
    frontier.scan([found('dt=tmp')]);
    frontier.scan([]);
    frontier.wait(HOUR);
    frontier.scan([found('dt=tmp')]);
    expect(frontier.events).toEqual([]);
  });

  it('with `start_from: end` only remembers what its first scan lists', () => {
    const frontier = new Frontier({ startFrom: 'end', settle: MINUTE });
    frontier.tell({
      type: 'landings-found',
      at: frontier.now,
      source: 'orders',
      scan: 1,
      landings: [found('dt=2017-04-26')],
    });
    // The first scan did not come to its end.
    frontier.restart();
    frontier.scan([found('dt=2017-04-26'), found('dt=2017-04-27')]);
    expect(frontier.events).toEqual([]);
    frontier.restart();
    const later = [found('dt=2017-04-26'), found('dt=2017-04-27', NOON, 'again'), found('dt=2017-04-28')];
    frontier.scan(later);
    frontier.wait(MINUTE);
    frontier.scan(later);
    expect(frontier.events).toEqual([`dt=2017-04-27 @${AT + 1}`, `dt=2017-04-28 @${AT}`]);
  });

  it('forgets a landing when complete scans have not listed it for longer than `keep`', () => {
    const frontier = new Frontier();
    frontier.scan([found('dt=2017-04-28')]);
    frontier.scan([], ['dt=2017-04-28']);
    frontier.wait(61 * DAY);
    frontier.scan([], ['dt=2017-04-28']);
    expect(frontier.known).toBe(1);
    // It was away with its mount, and is back: nothing new.
    frontier.scan([found('dt=2017-04-28')]);
    frontier.wait(2 * DAY);
    frontier.scan([], ['dt=2017-04-28']);
    expect(frontier.known).toBe(1);
    frontier.restart();
    frontier.wait(63 * DAY);
    frontier.scan([], ['dt=2017-04-28']);
    expect(frontier.known).toBe(0);
    expect(frontier.events).toHaveLength(1);
  });

  it('starts the jobs of its own hippo when Kafka brings the event back', () => {
    const hippo = new Hippo({ load: { every: 'day', needs: [daily('shop.orders')] } }, { sources: [ORDERS] });
    hippo.tell({
      type: 'landings-found',
      at: hippo.now,
      source: 'orders',
      scan: 1,
      landings: [found('dt=2017-04-28')],
    });
    for (const event of hippo.announced) hippo.read(event);
    expect(hippo.fired).toEqual(['load 2017-04-28']);
  });

  it('can be scanned, paused and resumed by hand, and asked for nothing else', () => {
    const frontier = new Frontier();
    frontier.ask('pause', 'orders', { by: 'ann', reason: 'the disk is full' });
    frontier.restart();
    expect(frontier.state.pauses.get('orders')).toEqual({ by: 'ann', reason: 'the disk is full', at: NOON });
    expect(notices(frontier.ask('run', 'orders'))).toEqual([
      'warning: refused: run orders: it is paused; resume it first',
    ]);
    expect(notices(frontier.ask('cancel', 'orders'))).toEqual([
      'warning: refused: cancel orders: orders is a source: it can be scanned, paused and resumed',
    ]);
    expect(frontier.ask('resume', 'orders')).toContainEqual({
      type: 'scan',
      source: 'orders',
      request: null,
    });
    const request = { topic: 'schedule', partition: 0, offset: '5' };
    expect(frontier.ask('run', 'orders')).toContainEqual({ type: 'scan', source: 'orders', request });
    frontier.restart();
    expect(frontier.state.pauses.size).toBe(0);
  });

  it('keeps the announcements of a source that hippo.yaml has no more', () => {
    const frontier = new Frontier();
    frontier.scan([found('dt=2017-04-28')]);
    const { definition } = frontier;
    frontier.restart([], { ...definition, sources: new Map() });
    frontier.restart([], definition);
    frontier.scan([found('dt=2017-04-28')]);
    expect(frontier.events).toHaveLength(1);
  });

  it('ignores findings of a source that it does not know', () => {
    const frontier = new Frontier();
    expect(
      frontier.tell({ type: 'landings-found', at: NOON, source: 'other', scan: 1, landings: [found('a=1')] }),
    ).toEqual([]);
  });
});

describe('a source that takes reports', () => {
  const reported = (path: string, id: string, what = id, landedAt = NOON): ReportedLanding => ({
    id: `shop.orders/${path}`,
    partition: parsePartitionPath(path) ?? [],
    landedAt,
    report: { id: `report/${id}`, fingerprint: fingerprintOf(what) },
  });

  const report = (frontier: Frontier, ...landings: ReportedLanding[]): void =>
    void frontier.tell({ type: 'landings-reported', at: frontier.now, source: 'orders', landings });

  it('announces each report once, over a restart', () => {
    const frontier = new Frontier({ takesReports: true });
    report(frontier, reported('dt=2017-04-27', 'a'), reported('dt=2017-04-28', 'b'));
    report(frontier, reported('dt=2017-04-27', 'a'));
    frontier.restart();
    report(frontier, reported('dt=2017-04-27', 'a'), reported('dt=2017-04-27', 'a', 'another'));
    expect(frontier.events).toEqual([`dt=2017-04-27 @${AT}`, `dt=2017-04-28 @${AT}`]);
  });

  it('gives each landing of a partition a later exec_date, also within a list', () => {
    const frontier = new Frontier({ takesReports: true });
    report(frontier, reported('dt=2017-04-28', 'a'), reported('dt=2017-04-28', 'b'));
    frontier.restart();
    report(frontier, reported('dt=2017-04-28', 'c', 'c', NOON - HOUR), reported('', 'd', 'd', NOON + DAY));
    expect(frontier.events).toEqual([
      ...[AT, AT + 1, AT + 2].map((time) => `dt=2017-04-28 @${time}`),
      ` @${AT}`,
    ]);
  });

  it('forgets reports after `keep`, and no partition', () => {
    const frontier = new Frontier({ takesReports: true });
    report(frontier, reported('dt=2017-04-28', 'a', 'a', 0));
    frontier.wait(61 * DAY);
    expect(frontier.known).toBe(2);
    frontier.wait(2 * DAY);
    expect(frontier.known).toBe(1);
    frontier.restart();
    expect(frontier.known).toBe(1);
  });
});
