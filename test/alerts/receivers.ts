import { parseConfig } from '../../src/config/schema.ts';
import { type Receiver, compileReceivers } from '../../src/alerts/index.ts';
import type { Delivery, ToldAlert } from '../../src/alerts/index.ts';

/** The receivers of `alerts.receivers`, compiled. @throws Error with the problems */
export function receivers(settings: Record<string, unknown>, directory = '/'): Receiver[] {
  const problems: Parameters<typeof compileReceivers>[1] = [];
  const config = parseConfig({ alerts: { receivers: settings } });
  const compiled = compileReceivers({ config, directory }, problems);
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join('\n'));
  return compiled;
}

/** 2026-06-12T10:00:00Z */
export const AT = Date.UTC(2026, 5, 12, 10);

export function alertOf(more: Partial<ToldAlert> = {}): ToldAlert {
  return {
    id: 'etl/load/failed/2017-04-28/1',
    state: 'firing',
    condition: 'failed',
    subject: 'load',
    runKey: '2017-04-28',
    since: AT - 60_000,
    resolvedAt: null,
    text: 'load 2017-04-28 has failed: exit code 3',
    next: ['hippo job run etl/load --key 2017-04-28'],
    ...more,
  };
}

export function deliveryOf(...alerts: Partial<ToldAlert>[]): Delivery {
  return { hippo: 'etl', timezone: 'Europe/Berlin', at: AT, alerts: alerts.map(alertOf), isTest: false };
}
