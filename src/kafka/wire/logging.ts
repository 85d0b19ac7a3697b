import { debuglog } from 'node:util';
import type { Logger } from 'kafkajs/src/loggers/index.js';

const traced = debuglog('hippo');
const wanted = process.env['HIPPO_DEBUG'] !== undefined && process.env['HIPPO_DEBUG'] !== '';

/** Whether `HIPPO_DEBUG=1` or `NODE_DEBUG=hippo` asks for kafkajs's own log lines. */
const enabled = wanted || traced.enabled;

/**
 * kafkajs reports every retriable condition as ERROR; the errors that matter are thrown as ours. Its log lines go to
 * stderr only when debugging is asked for.
 */
export const kafkaLogger: Logger = loggerFor('kafka');

function loggerFor(namespace: string): Logger {
  const write = (level: string) => (message: string, extra?: object) => {
    if (enabled) process.stderr.write(`${level} ${namespace}: ${message} ${describe(extra)}\n`);
  };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    namespace: (name) => (enabled ? loggerFor(name) : kafkaLogger),
    setLogLevel: () => undefined,
  };
}

/** A debug line of ours, e.g. a leader change that was survived. */
export function debug(message: string, extra?: object): void {
  kafkaLogger.debug(message, extra);
}

/** Requests and responses may hold passwords, keys and values: only what identifies them is shown. */
function describe(extra: object | undefined): string {
  if (extra === undefined) return '';
  const { broker, clientId, correlationId, error, size } = extra as Record<string, unknown>;
  return JSON.stringify({ broker, clientId, correlationId, error, size });
}
