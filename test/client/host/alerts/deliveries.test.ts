import { Map as PersistentMap } from 'immutable';
import { expect, it, vi } from 'vitest';
import { secretMask } from '../../../../src/alerts/index.ts';
import { parseConfig } from '../../../../src/config/schema.ts';
import { Deliveries } from '../../../../src/client/host/alerts/deliveries.ts';
import type { ClientEvent } from '../../../../src/client/host/client-event.ts';
import type { AlertDelivery } from '../../../../src/client/machine/index.ts';
import type { AlertState } from '../../../../src/state/index.ts';
import { openZone } from '../../../../src/windows/index.ts';
import { receivers } from '../../../alerts/receivers.ts';
import { httpReceiver } from '../../../alerts/http-receiver.ts';

const patience = { timeout: 10_000, interval: 5 };

interface Owned {
  deliveries: Deliveries;
  events: ClientEvent[];
  /** What the owner has written. */
  written: AlertDelivery[];
  notices: () => string[];
}

/** @param write what the owner does with what was taken */
function owned(
  settings: Record<string, unknown>,
  write: (told: readonly AlertDelivery[]) => Promise<void> = () => Promise.resolve(),
): Owned {
  const events: ClientEvent[] = [];
  const written: AlertDelivery[] = [];
  const deliveries = new Deliveries({
    receivers: receivers(settings),
    groupWait: 30,
    zone: openZone('UTC'),
    hippo: 'etl',
    identity: 'etl',
    clock: { now: () => Date.now() },
    isOwner: () => Promise.resolve(true),
    delivered: async (told) => {
      await write(told);
      written.push(...told);
    },
    mask: secretMask(parseConfig({ alerts: { receivers: settings } })),
    log: (event) => events.push(event),
    once: false,
  });
  const notices = (): string[] => events.flatMap((event) => (event.event === 'notice' ? [event.text] : []));
  return { deliveries, events, written, notices };
}

function failed(key: string, more: Partial<AlertState> = {}): [string, AlertState] {
  return [
    `load/failed/${key}/1`,
    {
      condition: 'failed',
      subject: 'load',
      runKey: key,
      text: `load ${key} has failed: exit code 3`,
      since: 0,
      ...more,
    },
  ];
}

const bodyOf = (text = '{}'): { text: string; state: string; alerts: { id: string; state: string }[] } =>
  JSON.parse(text) as { text: string; state: string; alerts: { id: string; state: string }[] };

it('100 failed runs are one message, their ends another', async () => {
  await using server = await httpReceiver();
  const { deliveries, written } = owned({ hook: { webhook: { url: server.url } } });
  const keys = Array.from({ length: 100 }, (_, index) => `k${index}`);
  for (let known = 1; known <= 100; known += 1)
    deliveries.desire({ alerts: PersistentMap(keys.slice(0, known).map((key) => failed(key))) });
  await vi.waitFor(() => expect(written).toHaveLength(100), patience);
  const delivered = { hook: 'firing' } as const;
  deliveries.desire({
    alerts: PersistentMap(
      keys.map((key) => failed(key, { delivered, resolvedAt: Date.now(), over: 'done' })),
    ),
  });
  await vi.waitFor(() => expect(written).toHaveLength(200), patience);
  const [first, second, ...more] = server.received.map(({ body }) => bodyOf(body));
  expect(first?.alerts).toHaveLength(100);
  expect(first?.text).toContain('load, 100 × failed: k0, k1');
  expect(second?.alerts.map(({ state }) => state)).toEqual(keys.map(() => 'resolved'));
  expect(second?.alerts[0]?.id).toBe(first?.alerts[0]?.id);
  expect(more).toEqual([]);
  deliveries.disown();
});

it('a receiver that refuses is told of once, tried again, and has all when it is back', async () => {
  await using server = await httpReceiver();
  server.answer = { status: 503, body: 'no s3cret-of-ours-here, please', headers: { 'retry-after': '0' } };
  const { deliveries, written, notices, events } = owned({
    hook: { webhook: { url: `${server.url}/x/s3cret-of-ours-here` } },
  });
  deliveries.desire({ alerts: PersistentMap([failed('a')]) });
  await vi.waitFor(() => expect(notices()).toHaveLength(1), patience);
  expect(notices()[0]).toMatch(
    /^hook \(127\.0\.0\.1:\d+\) takes no more alerts for now: 503: no \*\*\*, please/,
  );
  expect(deliveries.views).toMatchObject([
    { name: 'hook', error: expect.stringContaining('503') as string, waitingSince: 0 },
  ]);
  server.answer = { status: 200 };
  deliveries.desire({ alerts: PersistentMap([failed('a'), failed('b')]) });
  await vi.waitFor(() => expect(written).toHaveLength(2), patience);
  expect(notices()).toHaveLength(2);
  expect(notices()[1]).toMatch(/^hook takes alerts again, after/);
  expect(bodyOf(server.received.at(-1)?.body).alerts).toHaveLength(2);
  expect(deliveries.views).toMatchObject([{ error: null, failingSince: null }]);
  expect(JSON.stringify(events)).not.toContain('s3cret');
  deliveries.disown();
});

it('what was taken and not written is sent again by the next owner, and not by this one', async () => {
  await using server = await httpReceiver();
  const settings = { hook: { webhook: { url: server.url } } };
  const never = Promise.withResolvers<undefined>();
  const first = owned(settings, () => never.promise.then());
  first.deliveries.desire({ alerts: PersistentMap([failed('a')]) });
  await vi.waitFor(() => expect(server.received).toHaveLength(1), patience);
  // Another turn of the same owner, which cannot know more.
  first.deliveries.desire({ alerts: PersistentMap([failed('a'), failed('b')]) });
  await vi.waitFor(() => expect(server.received).toHaveLength(2), patience);
  expect(bodyOf(server.received[1]?.body).alerts.map(({ id }) => id)).toEqual(['etl/load/failed/b/1']);
  first.deliveries.disown();
  const second = owned(settings);
  second.deliveries.desire({ alerts: PersistentMap([failed('a')]) });
  await vi.waitFor(() => expect(second.written).toHaveLength(1), patience);
  expect(bodyOf(server.received[2]?.body).alerts.map(({ id }) => id)).toEqual(['etl/load/failed/a/1']);
  second.deliveries.disown();
});

it('a lost ownership ends what is being sent', async () => {
  await using server = await httpReceiver();
  server.answer = 'hang';
  const { deliveries, events, written } = owned({ hook: { webhook: { url: server.url, timeout: '1h' } } });
  deliveries.desire({ alerts: PersistentMap([failed('a')]) });
  await vi.waitFor(() => expect(server.received).toHaveLength(1), patience);
  expect(deliveries.isBusy).toBe(true);
  deliveries.disown();
  await vi.waitFor(() => expect(deliveries.isBusy).toBe(false), patience);
  expect([events, written]).toEqual([[], []]);
});

it('an alert that is over before it was sent is told as over, and one that nobody gets is forgotten', async () => {
  await using server = await httpReceiver();
  const hook = { webhook: { url: server.url }, conditions: ['failed'] };
  const { deliveries, written } = owned({ hook });
  const over = { resolvedAt: 1, over: 'load a has succeeded' };
  deliveries.desire({
    alerts: PersistentMap([
      failed('a', { ...over, resolvedAt: Date.now() }),
      failed('b', { ...over, condition: 'paused' }),
    ]),
  });
  await vi.waitFor(() => expect(written).toHaveLength(2), patience);
  expect(written.map(({ state }) => state)).toEqual(['resolved', 'resolved']);
  expect(server.received.map(({ body }) => bodyOf(body).alerts)).toMatchObject([
    [{ state: 'resolved', text: 'load a has succeeded' }],
  ]);
  deliveries.disown();
});
