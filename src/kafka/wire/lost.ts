const LOST = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSLockTimeout',
]);

/** Whether kafkajs says that a connection could not be opened, broke, or brought no response in time. */
export function isLostConnection(thrown: unknown): boolean {
  return thrown instanceof Error && LOST.has(thrown.name);
}

export function isClosedConnection(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === 'KafkaJSConnectionClosedError';
}

export function isRequestTimeout(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === 'KafkaJSRequestTimeoutError';
}

/** A connection that we closed. */
export function closedError(): Error {
  return Object.assign(new Error('the connection was closed'), { name: 'KafkaJSConnectionClosedError' });
}
