import { afterEach } from 'vitest';
import { type AppOptions, DEFAULT_LIMITS, type HttpApp, createApp } from '../../../src/http/app/index.ts';

/** An application of a test on a free port, drained after it. */
export interface TestApp {
  app: HttpApp;
  /** `http://127.0.0.1:port` */
  url: string;
  /** The lines of its log, parsed. */
  log: Record<string, unknown>[];
}

/** On a busy machine the event loop of a test is late. */
const PATIENT = { lateness: 60_000, notice: 0, drain: 1_000 };

const apps: HttpApp[] = [];
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.drain()));
});

/** @param routes adds the test's own routes */
export async function startApp(
  routes: (app: HttpApp['fastify']) => void = () => undefined,
  options: Partial<AppOptions> = {},
): Promise<TestApp> {
  const log: Record<string, unknown>[] = [];
  const app = await createApp({
    host: '127.0.0.1',
    port: 0,
    setting: 'serve',
    title: 'test',
    description: 'An application of a test.',
    version: '1.0.0',
    keys: null,
    readiness: () => ({ isReady: true, body: {} }),
    log: { write: (line) => log.push(JSON.parse(line) as Record<string, unknown>) },
    ...options,
    limits: { ...DEFAULT_LIMITS, ...PATIENT, ...options.limits },
  });
  await app.fastify.register((scope, _, done) => {
    routes(scope);
    done();
  });
  apps.push(app);
  return { app, url: `http://${await app.listen()}`, log };
}

export interface Answer {
  status: number;
  type: string | null;
  headers: Headers;
  body: unknown;
}

export async function ask(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init);
  const text = await response.text();
  const type = response.headers.get('content-type');
  const isJson = /[/+]json\b/.test(type ?? '');
  return {
    status: response.status,
    type,
    headers: response.headers,
    body: isJson && text !== '' ? JSON.parse(text) : text,
  };
}

export function postJson(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  return ask(url, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  });
}
