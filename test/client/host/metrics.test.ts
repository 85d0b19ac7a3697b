import { expect, it } from 'vitest';
import { landingHash } from '../../../src/state/index.ts';
import { createMetrics } from '../../../src/client/host/metrics.ts';
import { type StatusContext, statusOf } from '../../../src/client/host/status.ts';
import { parsePartitionPath } from '../../../src/messages/index.ts';
import { Hippo, MINUTE, NOON } from '../machine/hippo.ts';

const ORDERS = {
  name: 'orders',
  db: 'shop',
  table: 'orders',
  method: 'partition',
  dialect: 'pairs',
  startFrom: 'beginning',
  settle: MINUTE,
} as const;

/** After a scan that listed two landings, of which one has settled, and then failed. */
function scanned(): Hippo {
  const hippo = new Hippo({}, { sources: [ORDERS, { ...ORDERS, name: 'calls' }] });
  const find = (id: string): void => {
    const partition = parsePartitionPath(id) ?? [];
    const landings = [{ id, hash: landingHash(id), partition, landedAt: NOON, fingerprint: 1 }];
    hippo.tell({ type: 'landings-found', at: hippo.now, source: 'orders', scan: 1, landings });
  };
  find('dt=1');
  hippo.now += MINUTE;
  find('dt=1');
  find('dt=2');
  const scan = {
    ...{ number: 1, isComplete: false, hasListed: true, took: 250 },
    ...{ listed: 2, skipped: 3, skips: [], error: 'ESTALE' },
  };
  hippo.tell({ type: 'scan-ended', at: hippo.now, source: 'orders', scan });
  return hippo;
}

const RECEIVERS = [{ name: 'ops', failingSince: NOON, error: '404', waitingSince: NOON - MINUTE }];

function context(role: StatusContext['role'], { state, now }: Hippo): StatusContext {
  const view = { state, positions: new Map(), ends: new Map() };
  return {
    hippo: 'etl',
    sources: ['orders', 'calls'],
    services: [],
    receivers: RECEIVERS,
    role,
    connected: true,
    view,
    now,
  };
}

it('the owner says of each source what its last scan came to', () => {
  const hippo = scanned();
  expect(statusOf(context('owner', hippo)).sources).toEqual([
    {
      name: 'orders',
      paused: false,
      known: 1,
      unsettled: 1,
      last_scan: { at: NOON + MINUTE, took_ms: 250, listed: 2, skipped: 3, error: 'ESTALE' },
    },
    { name: 'calls', paused: false, known: 0, unsettled: 0, last_scan: null },
  ]);
  expect(statusOf(context('standby', hippo)).sources).toEqual([]);
});

it('the metrics have each source, and nothing of a scan before the first one', async () => {
  const hippo = scanned();
  const metrics = await createMetrics(() => statusOf(context('owner', hippo)));
  const landings = [{ partition: 'dt=1', exec_date: NOON / 1000 }];
  metrics.observe({ event: 'announced', source: 'orders', table: 'shop.orders', landings });
  const { text } = await metrics.render();
  const samples = text.split('\n').filter((line) => line.startsWith('hippo_source_'));
  expect(samples.map((line) => line.replace(',hippo="etl"', ''))).toEqual([
    'hippo_source_announced_total{source="orders"} 1',
    `hippo_source_last_scan_timestamp_seconds{source="orders"} ${(NOON + MINUTE) / 1000}`,
    'hippo_source_last_scan_duration_seconds{source="orders"} 0.25',
    'hippo_source_listed{source="orders"} 2',
    'hippo_source_skipped{source="orders"} 3',
    'hippo_source_unsettled{source="orders"} 1',
    'hippo_source_unsettled{source="calls"} 0',
    'hippo_source_known{source="orders"} 1',
    'hippo_source_known{source="calls"} 0',
    'hippo_source_away{source="orders"} 1',
    'hippo_source_paused{source="orders"} 0',
    'hippo_source_paused{source="calls"} 0',
  ]);
});

it('the metrics say of a receiver of alerts what was sent, and how long one has been waiting', async () => {
  const hippo = scanned();
  const metrics = await createMetrics(() => statusOf(context('owner', hippo)));
  const more = { alerts: 1, answer: '404', duration_ms: 1 };
  metrics.observe({ event: 'delivered', receiver: 'ops', outcome: 'refused', ...more });
  const { text } = await metrics.render();
  const samples = text.split('\n').filter((line) => line.startsWith('hippo_alert_'));
  expect(samples.map((line) => line.replace(',hippo="etl"', ''))).toEqual([
    'hippo_alert_deliveries_total{receiver="ops",outcome="refused"} 1',
    `hippo_alert_waiting_seconds{receiver="ops"} ${(hippo.now - NOON + MINUTE) / 1000}`,
  ]);
});
