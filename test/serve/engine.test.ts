import { describe, expect, it } from 'vitest';
import { type ModelEvent, ModelSlot, type SlotOptions } from '../../src/serve/engine.ts';
import type { LoadOptions, Model } from '../../src/predict/index.ts';

class Refused extends Error {}

/** A place whose versions are loaded when the test says so. */
class TestPlace {
  readonly events: ModelEvent[] = [];
  readonly disposed: string[] = [];
  readonly loading = new Map<
    string,
    { finish: () => void; fail: (error: Error) => void; signal: AbortSignal }[]
  >();
  readonly slot: ModelSlot;

  constructor(options: Partial<SlotOptions> = {}) {
    this.slot = new ModelSlot('iris', {
      load: (_, { version, signal }: LoadOptions) =>
        new Promise<Model>((resolve, reject) => {
          const tries = this.loading.get(version) ?? [];
          this.loading.set(version, [
            ...tries,
            { finish: () => resolve(this.#model(version)), fail: reject, signal },
          ]);
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        }),
      isRefused: (error) => error instanceof Refused,
      onEvent: (event) => this.events.push(event),
      driftWindow: 1_000,
      backoff: { first: 1, most: 5 },
      ...options,
    });
  }

  want(version: string | null): void {
    this.slot.want({ place: { location: '/models' }, serving: version === null ? null : { version } });
  }

  async begun(
    version: string,
    tries = 1,
  ): Promise<{ finish: () => void; fail: (error: Error) => void; signal: AbortSignal }> {
    await expect.poll(() => this.loading.get(version)?.length ?? 0).toBeGreaterThanOrEqual(tries);
    return this.loading.get(version)![tries - 1]!;
  }

  async served(version: string): Promise<void> {
    (await this.begun(version)).finish();
    await expect.poll(() => this.slot.status.version).toBe(version);
  }

  #model(version: string): Model {
    return {
      kind: 'recommender',
      name: 'iris',
      version,
      bytes: 10,
      dispose: () => this.disposed.push(version),
    } as unknown as Model;
  }
}

describe('a model', () => {
  it('is awaited, loaded, and serves', async () => {
    const place = new TestPlace();
    expect(() => place.slot.take()).toThrow('the model iris has no version yet: its first one is awaited');
    place.want(null);
    place.want('v1');
    expect(() => place.slot.take()).toThrow('version v1 of the model iris is being loaded');
    await place.served('v1');
    expect(place.slot.status).toEqual({ version: 'v1', wanted: 'v1', problem: null });
    expect(place.events).toMatchObject([{ kind: 'serving', version: 'v1', previous: null, bytes: 10 }]);
  });

  it('is switched between two requests: each keeps the version that it took', async () => {
    const place = new TestPlace();
    place.want('v1');
    await place.served('v1');
    const [one, two] = [place.slot.take(), place.slot.take()];
    place.want('v2');
    await place.served('v2');
    expect(place.slot.take().model.version).toBe('v2');
    expect([one.model.version, two.model.version]).toEqual(['v1', 'v1']);
    one.release();
    expect(place.disposed).toEqual([]);
    two.release();
    expect(place.disposed).toEqual(['v1']);
    expect(place.events.at(-1)).toEqual({ kind: 'disposed', model: 'iris', version: 'v1' });
  });

  it('goes on serving while a new version is refused, and serves one that is wanted after it', async () => {
    const place = new TestPlace();
    place.want('v1');
    await place.served('v1');
    place.want('v2');
    (await place.begun('v2')).fail(new Refused('the checksum differs'));
    await expect.poll(() => place.slot.status.problem).toBe('the checksum differs');
    expect(place.slot.status).toMatchObject({ version: 'v1', wanted: 'v2' });
    expect(place.events.at(-1)).toEqual({
      kind: 'refused',
      model: 'iris',
      version: 'v2',
      message: 'the checksum differs',
    });
    place.want('v3');
    await place.served('v3');
    expect(place.slot.status.problem).toBeNull();
    expect(place.loading.get('v2')).toHaveLength(1);
  });

  it('is tried again while its place is away', async () => {
    const place = new TestPlace();
    place.want('v1');
    (await place.begun('v1', 1)).fail(new Error('no route to host'));
    (await place.begun('v1', 2)).fail(new Error('no route to host'));
    (await place.begun('v1', 3)).finish();
    await expect.poll(() => place.slot.status).toEqual({ version: 'v1', wanted: 'v1', problem: null });
    expect(place.events.map(({ kind }) => kind)).toEqual(['away', 'away', 'serving']);
  });

  it('gives up what it is loading when another version is wanted', async () => {
    const place = new TestPlace();
    place.want('v1');
    await place.served('v1');
    place.want('v2');
    const { signal } = await place.begun('v2');
    place.want('v3');
    expect(signal.aborted).toBe(true);
    await place.served('v3');
    expect(place.events.filter(({ version }) => version === 'v2')).toEqual([]);
  });

  it('that is rolled back while the next version is loaded stays as it is', async () => {
    const place = new TestPlace();
    place.want('v1');
    await place.served('v1');
    place.want('v2');
    await place.begun('v2');
    place.want('v1');
    await expect.poll(() => place.slot.status).toEqual({ version: 'v1', wanted: 'v1', problem: null });
    expect(place.loading.get('v1')).toHaveLength(1);
    expect(place.disposed).toEqual([]);
  });

  it('that is loaded just when another version is wanted is let go', async () => {
    const place = new TestPlace();
    place.want('v1');
    const begun = await place.begun('v1');
    begun.finish();
    place.want('v2');
    await place.served('v2');
    expect(place.disposed).toEqual(['v1']);
  });

  it('lets its memory go at the end', async () => {
    const place = new TestPlace();
    place.want('v1');
    await place.served('v1');
    place.want('v2');
    await place.begun('v2');
    await place.slot.close();
    expect(place.disposed).toEqual(['v1']);
  });
});
