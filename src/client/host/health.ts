import { networkInterfaces } from 'node:os';
import type { Kafka, Producer } from '../../kafka/port.ts';
import { serialiseHealth } from '../../messages/index.ts';
import type { ServiceHealth } from '../../messages/types.ts';
import { messageOf } from '../../core/errors.ts';
import { type Clock, type Millis, isoTime } from '../../core/clock.ts';
import type { JsonObject } from '../../core/json.ts';
import type { ClientStatus, SourceStatus } from './status.ts';
import { userName } from '../../core/user-name.ts';

export interface HealthOptions {
  kafka: Kafka;
  topic: string;
  /** The project's folder. */
  directory: string;
  /** Milliseconds between two messages. */
  interval: Millis;
  clock: Clock;
  status: () => ClientStatus;
  /** Told once when sending begins to fail. */
  onFailure(reason: string): void;
}

export interface Health {
  /** Sends one now. */
  send(): void;
  stop(): Promise<void>;
}

/** Sends a sign of life at once and each interval. A failure to send is told, and not fatal. */
export function startHealth(options: HealthOptions): Health {
  let producer: Promise<Producer> | null = null;
  let sending: Promise<void> | null = null;
  let failing = false;
  const send = async (): Promise<void> => {
    try {
      const sender = await (producer ??= options.kafka.producer());
      const value = serialiseHealth(healthMessage(options));
      await sender.send([{ topic: options.topic, key: options.status().hippo, value }]);
      failing = false;
    } catch (error) {
      producer = null;
      if (!failing) options.onFailure(messageOf(error));
      failing = true;
    }
  };
  const tick = (): void => {
    sending ??= send().finally(() => (sending = null));
  };
  tick();
  const timer = setInterval(tick, options.interval);
  return {
    send: () => void (sending ?? Promise.resolve()).then(tick),
    stop: async () => {
      clearInterval(timer);
      await sending;
      await producer?.then((sender) => sender.close()).catch(() => undefined);
    },
  };
}

/** Exactly the eleven fields that an existing manager parses, and a few of ours. */
function healthMessage({ directory, interval, clock, status, kafka }: HealthOptions): ServiceHealth {
  const now = status();
  return {
    kind: 'health',
    clientIp: ownAddress(),
    path: directory,
    serviceName: now.hippo,
    monitorPid: process.ppid,
    servicePid: process.pid,
    execTime: clock.now(),
    isSuccess: now.connected ? 1 : 0,
    errorMsg: now.connected ? '' : 'no connection to Kafka',
    coordAddress: kafka.brokers[0] ?? '',
    interval,
    user: userName(),
    extra: {
      role: now.role,
      running: now.runs.running,
      waiting: now.runs.waiting,
      ...(now.sources.length === 0 ? {} : { sources: now.sources.map(healthOf) }),
      ...servicesOf(now),
      ...alertsOf(now),
      ...receiversOf(now),
    },
  };
}

function healthOf({ name, paused, last_scan: scan }: SourceStatus): JsonObject {
  return {
    name,
    paused,
    last_scan: scan === null ? null : isoTime(scan.at),
    ...(scan === null
      ? {}
      : { took_ms: scan.took_ms, listed: scan.listed, skipped: scan.skipped, error: scan.error }),
  };
}

function servicesOf({ services, role }: ClientStatus): JsonObject {
  const here = services.filter(({ scope }) => scope === 'each' || role === 'owner');
  if (here.length === 0) return {};
  return {
    services: here.map(({ name, scope, status, restarts, error, models }) => ({
      name,
      scope,
      status,
      restarts,
      ...(models === undefined ? {} : { models: { ...models } }),
      ...(error === undefined ? {} : { error }),
    })),
  };
}

/** How many are open, by condition. */
function alertsOf({ alerts }: ClientStatus): JsonObject {
  return Object.keys(alerts).length === 0 ? {} : { open_alerts: { ...alerts } };
}

/** Those that do not take alerts. */
function receiversOf({ receivers }: ClientStatus): JsonObject {
  const failing = receivers.filter(({ failing_since: since }) => since !== null);
  if (failing.length === 0) return {};
  return {
    failing_receivers: failing.map(({ name, failing_since: since, error }) => ({
      name,
      since: since === null ? null : isoTime(since),
      error,
    })),
  };
}

/** The first address of this machine that others can see, IPv4 before IPv6; the loopback address where there is none. */
function ownAddress(): string {
  const outward = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal }) => !internal);
  return (outward.find(({ family }) => family === 'IPv4') ?? outward[0])?.address ?? '127.0.0.1';
}
