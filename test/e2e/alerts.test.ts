import { describe, expect } from 'vitest';
import { httpReceiver } from '../alerts/http-receiver.ts';
import { MONTHLY, test, trigger } from '../support/project.ts';

interface Posted {
  alerts: { id: string; state: string; condition: string; run_key: string }[];
}

const settings = (url: string): string => `
client: { session_timeout: 6s }
alerts: { group_wait: 100ms, receivers: { hook: { webhook: { url: '${url}' } } } }`;

describe('alerts', () => {
  test.concurrent(
    'a run that fails is told once when it fails, once when it is done, and again if a client was killed in between',
    async ({ makeProject }) => {
      await using server = await httpReceiver();
      const posted = (): string[] =>
        server.received.flatMap(({ body }) =>
          (JSON.parse(body) as Posted).alerts.map(
            ({ condition, state, run_key: key }) => `${condition} ${state} ${key}`,
          ),
        );
      const project = await makeProject(MONTHLY, 'exit 3', settings(server.url));

      // Killed after the receiver has taken it, and before that is written.
      const killed = project.startClient({ HIPPO_CRASH_AT: 'after-delivery:1' });
      await killed.event('owner');
      await trigger(project, '201704');
      expect(await killed.ended).toMatchObject({ signal: 'SIGKILL' });
      expect(posted()).toEqual(['failed firing 201704']);

      const client = project.startClient();
      await client.event('delivered');
      expect(posted()).toEqual(['failed firing 201704', 'failed firing 201704']);
      const ids = server.received.map(({ body }) => (JSON.parse(body) as Posted).alerts[0]?.id);
      expect(new Set(ids).size).toBe(1);

      const listed = await project.hippo(['alerts', 'list']);
      expect(listed).toMatchObject({ exitCode: 0 });
      expect(listed.stdout).toContain(`▲ failed  ${project.name}/`);
      expect(listed.stdout).toContain('1 open alert');

      await project.hippo(['job', 'mark-success', 'load', '--key', '201704']);
      await client.event('delivered', () => posted().length === 3);
      expect(posted().at(-1)).toBe('failed resolved 201704');
      const after = await project.hippo(['alerts', 'list']);
      expect(after.stdout).toBe(`${project.name} has no open alert\n`);
      client.kill('SIGTERM');
      await client.ended;
    },
  );
});
