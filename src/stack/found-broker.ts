import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { listProcesses, terminate } from '../core/environment/index.ts';
import { readBrokerFile } from './properties.ts';

/** Kafka flushes and closes its logs on SIGTERM: about a second, more on a busy machine. */
const STOP_GRACE = 20_000;

/** The files of a broker. */
export interface BrokerFiles {
  properties: string;
  data: string;
  log: string;
}

export interface FoundBroker {
  pid: number;
  /** For clients, on 127.0.0.1. */
  port: number;
  version: string;
}

export function brokerFiles(directory: string): BrokerFiles {
  const root = resolve(directory);
  return {
    properties: join(root, 'server.properties'),
    data: join(root, 'data'),
    log: join(root, 'broker.log'),
  };
}

/**
 * The broker that runs with this folder's files, ready or not; null if there is none. It is found among the running
 * processes, not by a pid file: pids are reused, and a file outlives a crash.
 */
export async function findBroker(directory: string): Promise<FoundBroker | null> {
  const files = brokerFiles(directory);
  const record = readBrokerFile(await readFile(files.properties, 'utf8').catch(() => ''));
  if (record === undefined) return null;
  const ending = ` kafka.Kafka ${files.properties}`;
  const found = (await listProcesses()).find(({ command }) => command.endsWith(ending));
  return found === undefined ? null : { pid: found.pid, port: record.ports.client, version: record.version };
}

/**
 * Stops the broker of this folder: SIGTERM, then SIGKILL after a grace. Its data stay. Safe to repeat.
 *
 * @returns `gone` if none ran
 */
export async function stopBroker(directory: string): Promise<'gone' | 'stopped' | 'killed'> {
  const found = await findBroker(directory);
  return found === null ? 'gone' : terminate(found.pid, STOP_GRACE);
}
