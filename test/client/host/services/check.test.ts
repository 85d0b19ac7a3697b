import { expect, it } from 'vitest';
import { checkServices } from '../../../../src/client/host/services/check.ts';
import type { CompileProblem } from '../../../../src/client/machine/index.ts';
import { parseConfig } from '../../../../src/config/schema.ts';

function problemsOf(config: object): string[] {
  const problems: CompileProblem[] = [];
  checkServices(parseConfig(config), problems);
  return problems.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

it.each([
  [{ ready: { http: '/healthz' } }, 'ready'],
  [{ ready: { tcp: true } }, 'ready'],
  [{ reload: { http: '/reload' } }, 'reload'],
  [{ metrics: '/metrics' }, 'metrics'],
])('%j needs a port', (service, key) => {
  expect(problemsOf({ services: { api: { run: './api.sh', ...service } } })).toEqual([
    `services.api.${key}: it is a place on the port of the service, which has none`,
  ]);
  expect(problemsOf({ services: { api: { run: './api.sh', port: 'auto', ...service } } })).toEqual([]);
});

it('only the owner publishes', () => {
  expect(problemsOf({ services: { api: { run: './api.sh', scope: 'each', events: {} } } })).toEqual([
    'services.api.events: only the client that owns the hippo publishes, and this service runs beside every client',
  ]);
});

it('jobs, sources and services share their names', () => {
  const jobs = { load: { needs: [{ table: 'a.b' }] } };
  expect(problemsOf({ jobs, services: { load: { run: './load.sh' } } })).toEqual([
    'services.load: a job has the same name',
  ]);
});

it("an owner's service must have time to end before the session does", () => {
  const client = { session_timeout: '6s', kill_grace: '4s' };
  expect(problemsOf({ client, services: { api: { run: './api.sh' } } })).toEqual([
    'client.kill_grace: a service of the owner must be gone before another client owns the hippo, so it ends kill_grace before the session is over',
  ]);
  expect(problemsOf({ client, services: { api: { run: './api.sh', scope: 'each' } } })).toEqual([]);
});

it('a service that reloads says how it is told, and no two have one port', () => {
  const reloads = { run: './api.sh', reload_on: [{ table: 'a.b' }] };
  expect(problemsOf({ services: { api: reloads } })).toEqual([
    'services.api.reload_on: reload is missing, which says how the service is told',
  ]);
  expect(problemsOf({ services: { api: { ...reloads, reload: { signal: 'SIGHUP' } } } })).toEqual([]);
  expect(
    problemsOf({ services: { a: { run: './a.sh', port: 9000 }, b: { run: './b.sh', port: 9000 } } }),
  ).toEqual(['services.b.port: the service a has the same port']);
});
