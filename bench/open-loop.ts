/** A client that asks at a fixed rate, whatever the answers take: a server that falls behind is seen, and not waited for. */
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Load {
  /** `http://127.0.0.1:8080` */
  url: string;
  /** Of the n-th request. */
  ask: (n: number) => { path: string; body?: unknown };
  /** Requests a second. */
  rate: number;
  seconds: number;
}

export interface LoadResult {
  /** Milliseconds from the time at which a request was due to the end of its answer, ascending. */
  latencies: Float64Array;
  /** Requests without an answer of status 200. */
  failed: number;
}

/** So many connections are kept open. */
const CONNECTIONS = 64;

/** Sends all requests at their times; resolves when each has an answer or has failed. */
export async function openLoop({ url, ask, rate, seconds }: Load): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS, scheduling: 'fifo' });
  const count = Math.round(rate * seconds);
  const latencies: number[] = [];
  const running: Promise<void>[] = [];
  let failed = 0;
  const began = performance.now();
  for (let n = 0; n < count; n += 1) {
    const due = began + (n * 1_000) / rate;
    await until(due);
    const { path, body } = ask(n);
    running.push(
      send(agent, `${url}${path}`, body).then((isOk) => {
        latencies.push(performance.now() - due);
        if (!isOk) failed += 1;
      }),
    );
  }
  await Promise.all(running);
  agent.destroy();
  return { latencies: Float64Array.from(latencies).sort(), failed };
}

/** Timers are late by a millisecond, so the last one is waited for turn by turn. */
async function until(due: number): Promise<void> {
  const left = due - performance.now();
  if (left > 2) await sleep(left - 2);
  while (performance.now() < due) await new Promise((resolve) => setImmediate(resolve));
}

/** @returns whether the answer has status 200; it is read to its end */
function send(agent: Agent, url: string, body: unknown): Promise<boolean> {
  return new Promise((resolve) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const asked = request(url, {
      agent,
      method: text === undefined ? 'GET' : 'POST',
      headers:
        text === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
    });
    asked.on('response', (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode === 200));
      response.on('error', () => resolve(false));
    });
    asked.on('error', () => resolve(false));
    asked.end(text);
  });
}

export function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
