import type { Config, ServiceConfig } from '../../../config/schema.ts';
import { formatDuration } from '../../../core/duration.ts';
import type { CompileProblem } from '../../machine/index.ts';

/** Checks what the schema cannot; problems are added to the list. */
export function checkServices(
  { services, jobs, sources, client }: Pick<Config, 'services' | 'jobs' | 'sources' | 'client'>,
  problems: CompileProblem[],
): void {
  for (const [name, service] of Object.entries(services)) {
    const path = ['services', name];
    const namesake = Object.hasOwn(jobs, name) ? 'job' : Object.hasOwn(sources, name) ? 'source' : null;
    if (namesake !== null)
      problems.push({
        path,
        message: `a ${namesake} has the same name`,
        allowed: 'a name that no job and no source has',
      });
    if (service.scope === 'each' && service.events !== undefined)
      problems.push({
        path: [...path, 'events'],
        message: 'only the client that owns the hippo publishes, and this service runs beside every client',
        allowed: 'events with scope: owner',
      });
    if (service.reload_on !== undefined && service.reload === undefined)
      problems.push({
        path: [...path, 'reload_on'],
        message: 'reload is missing, which says how the service is told',
        allowed:
          '{ http: /reload }, or { signal: SIGHUP } for a program that handles that signal: others end by it',
      });
    const twin = Object.entries(services).find(
      ([other, { port }]) => other < name && typeof port === 'number' && port === service.port,
    );
    if (twin !== undefined)
      problems.push({
        path: [...path, 'port'],
        message: `the service ${twin[0]} has the same port`,
        allowed: 'another port, or auto',
      });
    for (const key of withoutPort(service))
      problems.push({
        path: [...path, key],
        message: 'it is a place on the port of the service, which has none',
        allowed: 'a URL such as http://127.0.0.1:8080/, or `port: auto` beside it',
      });
  }
  const owned = Object.values(services).some(({ scope }) => scope === 'owner');
  // The lease is what the grace leaves of the session; it must outlast a heartbeat that fails and the next one.
  if (owned && client.kill_grace > client.session_timeout / 2)
    problems.push({
      path: ['client', 'kill_grace'],
      message:
        'a service of the owner must be gone before another client owns the hippo, so it ends kill_grace before the session is over',
      allowed: `at most half of client.session_timeout, which is ${formatDuration(client.session_timeout)}`,
    });
}

/** The keys that name a place on a port which is not there. */
function withoutPort({ port, ready, reload, metrics }: ServiceConfig): string[] {
  if (port !== undefined) return [];
  const isOwn = (place: string | undefined): boolean => place?.startsWith('/') === true;
  return [
    ...(ready !== undefined &&
    (('http' in ready && isOwn(ready.http)) || ('tcp' in ready && ready.tcp === true))
      ? ['ready']
      : []),
    ...(reload !== undefined && 'http' in reload && isOwn(reload.http) ? ['reload'] : []),
    ...(isOwn(metrics) ? ['metrics'] : []),
  ];
}
