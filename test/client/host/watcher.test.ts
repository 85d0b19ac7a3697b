import { describe, expect, it } from 'vitest';
import type { ClientEvent } from '../../../src/client/host/client-event.ts';
import { Watcher } from '../../../src/client/host/watcher.ts';
import type { SourceDefinition } from '../../../src/client/machine/definition.ts';
import { parsePartitionPath } from '../../../src/messages/index.ts';
import {
  type FoundLanding,
  PartlyAwayError,
  type Skip,
  SourceAwayError,
} from '../../../src/sources/index.ts';
import { DAY, Hippo, MINUTE, NOON, ORDERS } from '../machine/hippo.ts';

function found(id: string, what = 'first'): FoundLanding {
  return { id, partition: parsePartitionPath(id) ?? [], landedAt: NOON, found: what };
}

/** A place whose content a test decides, watched by a watcher that stands before a machine. */
class World {
  landings: FoundLanding[] = [];
  skips: Skip[] = [];
  away: string | null = null;
  isPartly = false;
  readonly hippo: Hippo;
  readonly logged: string[] = [];
  steps = 0;
  afterStep: (steps: number) => void = () => undefined;

  constructor(source: Partial<SourceDefinition> = {}) {
    this.hippo = new Hippo({}, { sources: [{ ...ORDERS, ...source }], keep: DAY });
  }

  /** Scans until a scan has come to its end. */
  async scan(): Promise<void> {
    await this.watcher(true).watch(new AbortController().signal);
  }

  watcher(once: boolean): Watcher {
    const [source] = this.hippo.definition.sources.values();
    if (source === undefined) throw new Error('there is no source');
    return new Watcher({
      watched: {
        source,
        every: 1,
        scanner: {
          place: '/landing',
          ifEmpty: 'look there',
          scan: (_, onSkip) => this.#list(onSkip),
        },
      },
      state: () => this.hippo.state,
      tell: (finding) => {
        this.steps += 1;
        this.hippo.tell({ ...finding, at: this.hippo.now });
        this.afterStep(this.steps);
        return Promise.resolve();
      },
      log: (event: ClientEvent) => {
        if (event.event === 'notice') this.logged.push(`${event.level}: ${event.text}`);
      },
      once,
    });
  }

  get announced(): string[] {
    return this.hippo.announced.map(({ partitions: [partition = []] }) =>
      partition.map(({ name, value }) => `${name}=${value}`).join('/'),
    );
  }

  async *#list(onSkip: (skip: Skip) => void): AsyncGenerator<FoundLanding[]> {
    for (const skip of this.skips) onSkip(skip);
    yield this.landings.slice(0, 1);
    await Promise.resolve();
    yield this.landings.slice(1);
    if (this.away !== null && this.isPartly)
      throw new PartlyAwayError('/landing/x cannot be read', { why: this.away });
    if (this.away !== null) throw new SourceAwayError('the folder /landing is away', { why: this.away });
  }
}

describe('a watcher', () => {
  it('tells only what differs, and what is not listed any more', async () => {
    const world = new World();
    world.landings = [found('dt=1'), found('dt=2'), found('dt=3')];
    await world.scan();
    expect(world.announced).toEqual(['dt=1', 'dt=2', 'dt=3']);
    expect(world.steps).toBe(2);
    await world.scan();
    // Only that the scan has ended.
    expect(world.steps).toBe(3);
    world.landings = [found('dt=1'), found('dt=3', 'again')];
    await world.scan();
    expect(world.announced.slice(3)).toEqual(['dt=3']);
    expect(world.hippo.state.sources.get('orders')?.lastScan).toMatchObject({ listed: 2, announced: 1 });
    world.hippo.now += 2 * DAY;
    await world.scan();
    world.landings.push(found('dt=2'));
    await world.scan();
    // It was forgotten: it lands as if for the first time.
    expect(world.announced.slice(4)).toEqual(['dt=2']);
  });

  it('announces thousands in the order of their paths, in steps that a transaction can hold', async () => {
    const world = new World();
    world.landings = Array.from({ length: 1_000 }, (_, index) =>
      found(`n=${String(index).padStart(4, '0')}`),
    );
    await world.scan();
    expect(world.announced).toEqual(world.landings.map(({ id }) => id));
    expect(world.steps).toBe(6);
  });

  it('notes thousands that are not listed any more in several steps, and announces none of them again', async () => {
    const world = new World();
    const all = Array.from({ length: 6_000 }, (_, index) => found(`n=${index}`));
    world.landings = all;
    await world.scan();
    world.landings = all.slice(0, 1);
    world.steps = 0;
    await world.scan();
    // 5,000 of them, the rest, and that the scan has ended.
    expect(world.steps).toBe(3);
    world.landings = all;
    await world.scan();
    expect(world.announced).toHaveLength(6_000);
  });

  it('announces what was listed before the place went away, and forgets nothing', async () => {
    const world = new World();
    world.landings = [found('dt=1'), found('dt=2')];
    await world.scan();
    world.landings = [found('dt=3')];
    world.away = 'ESTALE';
    await expect(world.scan()).rejects.toThrow('the folder /landing is away');
    expect(world.announced).toEqual(['dt=1', 'dt=2', 'dt=3']);
    world.hippo.now += 3 * DAY;
    await expect(world.scan()).rejects.toThrow('the folder /landing is away');
    world.away = null;
    world.landings = [found('dt=1'), found('dt=2'), found('dt=3')];
    await world.scan();
    expect(world.announced).toHaveLength(3);
    expect(world.logged).toContain('error: source orders: the folder /landing is away: ESTALE');
    expect(world.hippo.state.sources.get('orders')?.lastScan?.error).toBeUndefined();
  });

  it('with `start_from: end` announces what lands after its first scan, also if a part of it cannot be read', async () => {
    const world = new World({ startFrom: 'end' });
    world.landings = [found('dt=1')];
    world.away = 'EACCES';
    world.isPartly = true;
    await expect(world.scan()).rejects.toThrow('/landing/x cannot be read');
    world.landings.push(found('dt=2'));
    await expect(world.scan()).rejects.toThrow('/landing/x cannot be read');
    expect(world.announced).toEqual(['dt=2']);
  });

  it('stops announcing when it is paused, and goes on after the pause', async () => {
    const world = new World();
    world.landings = Array.from({ length: 1_000 }, (_, index) => found(`n=${index}`));
    world.afterStep = (steps) => {
      if (steps === 2) world.hippo.ask('pause', 'orders');
    };
    await world.scan();
    expect(world.announced).toHaveLength(400);
    world.hippo.ask('resume', 'orders');
    await world.scan();
    expect(world.announced).toHaveLength(1_000);
    expect(new Set(world.announced).size).toBe(1_000);
  });

  it('takes a place that lists nothing any more for one that is away', async () => {
    const world = new World();
    world.landings = [found('dt=1')];
    await world.scan();
    world.landings = [];
    await expect(world.scan()).rejects.toMatchObject({
      why: '1 landing of it is known: look there',
    });
    // The only one is being written again.
    world.skips = [{ path: '/landing/dt=1', reason: 'it has no _SUCCESS', isUnfinished: true }];
    await world.scan();
  });

  it('logs once why a path is skipped, and nothing of what is being written', async () => {
    const world = new World();
    world.landings = [found('dt=1')];
    world.skips = [
      { path: '/landing/README', reason: 'it is not a folder', isUnfinished: false },
      { path: '/landing/dt=2', reason: 'it has no _SUCCESS', isUnfinished: true },
    ];
    const stop = new AbortController();
    const watching = world.watcher(false).watch(stop.signal);
    await expect.poll(() => world.steps).toBeGreaterThan(4);
    stop.abort();
    await watching;
    expect(world.logged).toEqual(['warning: source orders: /landing/README is skipped: it is not a folder']);
    expect(world.hippo.state.sources.get('orders')?.lastScan).toMatchObject({
      skipped: 1,
      skips: [{ path: '/landing/README', reason: 'it is not a folder' }],
    });
  });

  it('says of very many skipped paths the first ones, and how many more there are', async () => {
    const world = new World();
    world.landings = [found('dt=1')];
    world.skips = Array.from({ length: 5_000 }, (_, index) => ({
      path: `/landing/${index}\u202E\n`,
      reason: 'its name is not dt=*',
      isUnfinished: false,
    }));
    await world.scan();
    expect(world.logged).toHaveLength(21);
    expect(world.logged[0]).toBe(
      String.raw`warning: source orders: /landing/0\u202e\n is skipped: its name is not dt=*`,
    );
    expect(world.logged.at(-1)).toBe(
      'warning: source orders: 4980 more paths are skipped; to list them: hippo source scan orders --dry-run --json',
    );
  });

  it('does not scan a source that is paused', async () => {
    const world = new World();
    world.landings = [found('dt=1')];
    world.hippo.ask('pause', 'orders');
    await world.scan();
    expect(world.steps).toBe(0);
    world.hippo.ask('resume', 'orders');
    await world.scan();
    expect(world.announced).toEqual(['dt=1']);
  });

  it('with `once` waits for what has to settle', async () => {
    const world = new World({ settle: MINUTE });
    world.landings = [found('dt=1')];
    const watching = world.scan();
    await expect.poll(() => world.steps).toBeGreaterThan(3);
    expect(world.announced).toEqual([]);
    world.hippo.now += MINUTE;
    await watching;
    expect(world.logged).toEqual([
      'info: source orders: 1 landing waits until 2017-04-28T12:01:00Z to settle (unchanged for 1 min)',
    ]);
    expect(world.announced).toEqual(['dt=1']);
  });
});
