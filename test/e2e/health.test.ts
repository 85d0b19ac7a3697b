import { readdir } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { networkInterfaces, userInfo } from 'node:os';
import { describe, expect } from 'vitest';
import { processesTagged } from '../../src/client/host/process-group.ts';
import {
  MONTHLY,
  type TestClient,
  type TestProject,
  httpGet,
  kcat,
  ready,
  test,
  trigger,
  until,
} from '../support/project.ts';

const OBSERVED = 'client: { session_timeout: 6s, health_interval: 1s, http: { port: 0 } }';

interface Health {
  service_pid: number;
  exec_time: number;
  running: number;
}

/** What a client has said of itself, as a manager that is not ours reads it. */
async function signsOf(project: TestProject, client: TestClient): Promise<Health[]> {
  const lines = await kcat(project, 'service-health');
  return lines
    .map((line) => JSON.parse(line) as Health)
    .filter(({ service_pid }) => service_pid === client.pid)
    .sort((a, b) => a.exec_time - b.exec_time);
}

/** The samples of Prometheus's text format, by name and labels as written; without the label that all have. */
async function metrics(client: TestClient): Promise<Record<string, number>> {
  const { text } = await httpGet(client, '/metrics');
  const samples = text.split('\n').filter((line) => line !== '' && !/^# (HELP|TYPE) \w+ \S/.test(line));
  return Object.fromEntries(
    samples.map((line) => {
      const [, name = '', labels = '', value = ''] = /^([a-z_]\w*)\{(.*)\} (\S+)$/.exec(line) ?? [line];
      if (value === '' || Number.isNaN(Number(value))) throw new Error(`no sample: ${line}`);
      const own = labels.split(',').filter((label) => !label.startsWith('hippo='));
      return [own.length === 0 ? name : `${name}{${own.join(',')}}`, Number(value)];
    }),
  );
}

describe('service-health', () => {
  test.concurrent(
    'each interval a message with the eleven fields that managers parse, by owner and standby',
    async ({ makeProject }) => {
      const before = Date.now();
      const project = await makeProject(MONTHLY, 'sleep 300', OBSERVED);
      const owner = project.startClient();
      await owner.event('owner');
      const standby = project.startClient();
      await standby.event('standby');
      await trigger(project, '201704');
      await owner.event('submitted');
      const signs = await until(async () => {
        const found = await signsOf(project, owner);
        return found.filter(({ running }) => running === 1).length >= 3 ? found : null;
      }, 'three signs of life while the job runs');

      const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
      const fields = {
        clientIP: expect.toSatisfy((ip) => addresses.some(({ address }) => address === ip)) as unknown,
        path: project.directory,
        service_name: project.name,
        monitor_pid: process.pid,
        service_pid: owner.pid,
        exec_time: expect.toSatisfy(
          (at) => Number.isInteger(at) && at >= before && at <= Date.now(),
        ) as unknown,
        is_success: 1,
        error_msg: '',
        coordAddress: project.brokers.split(',')[0],
        interval: 1_000,
        user: userInfo().username,
      };
      expect(signs.at(-1)).toStrictEqual({ ...fields, role: 'owner', running: 1, waiting: 0 });
      expect(Object.keys(signs.at(-1) ?? {}).slice(0, 11)).toEqual(Object.keys(fields));
      const [first, ...others] = (await signsOf(project, standby)).reverse();
      expect(first).toStrictEqual({
        ...fields,
        service_pid: standby.pid,
        role: 'standby',
        running: 0,
        waiting: 0,
      });
      expect(others.length).toBeGreaterThan(1);
      // A busy machine may be late, and never early: no two of the same interval. The first one waits for its producer.
      const [, ...later] = signs;
      const pauses = later.slice(1).map(({ exec_time }, index) => exec_time - (later[index]?.exec_time ?? 0));
      expect(Math.min(...pauses)).toBeGreaterThan(500);
    },
  );
});

describe('client.http', () => {
  test.concurrent(
    '/metrics says what runs have come to; owner and standby are ready',
    async ({ makeProject }) => {
      const project = await makeProject(MONTHLY, '[ "$HIPPO_RUN_KEY" = 201704 ] || exit 3', OBSERVED);
      const owner = project.startClient();
      await owner.event('owner');
      const standby = project.startClient();
      await standby.event('standby');
      expect(await httpGet(owner, '/healthz')).toEqual({ status: 200, text: '{"status":"ok"}\n' });
      expect(await ready(owner)).toEqual({ status: 200, role: 'owner', connected: true });
      expect(await ready(standby)).toEqual({ status: 200, role: 'standby', connected: true });
      expect((await httpGet(owner, '/nothing')).status).toBe(404);

      const before = await metrics(owner);
      expect(before).toMatchObject({ hippo_owner: 1, hippo_connected: 1 });
      expect(before['process_start_time_seconds']).toBeGreaterThan(Date.now() / 1000 - 120);
      expect(before).not.toHaveProperty('hippo_last_finish_timestamp_seconds');

      const begun = Date.now() / 1000;
      expect((await trigger(project, '201704', '--wait')).exitCode).toBe(0);
      expect((await trigger(project, '201705', '--wait')).exitCode).toBe(1);
      const after = await metrics(owner);
      expect(after).toMatchObject({
        'hippo_attempts_total{job="load",outcome="succeeded"}': 1,
        'hippo_attempts_total{job="load",outcome="failed"}': 1,
        'hippo_attempt_duration_seconds_count{job="load"}': 2,
        'hippo_runs{status="succeeded"}': 1,
        'hippo_runs{status="failed"}': 1,
        'hippo_runs{status="running"}': 0,
      });
      expect(after['hippo_last_finish_timestamp_seconds']).toBeGreaterThan(begun - 1);
      const lag = Object.entries(after).filter(([name]) => name.startsWith('hippo_input_lag{'));
      expect(lag.length).toBeGreaterThan(2);
      expect(await metrics(standby)).toMatchObject({ hippo_owner: 0, hippo_connected: 1 });
    },
  );

  test.concurrent('/readyz is 503 until the client belongs to the group', async ({ makeProject }) => {
    const project = await makeProject(MONTHLY, 'exit 0', OBSERVED.replace('6s', '20m'));
    const owner = project.startClient();
    await owner.event('owner');
    // While the owner does not answer, for a session at most, the group lets a new member wait.
    owner.kill('SIGSTOP');
    const second = project.startClient();
    expect(await ready(second)).toEqual({ status: 503, role: 'connecting', connected: false });
    expect((await httpGet(second, '/healthz')).status).toBe(200);
    owner.kill('SIGCONT');
    await second.event('standby');
    expect(await ready(second)).toEqual({ status: 200, role: 'standby', connected: true });
    owner.kill('SIGTERM');
    await second.event('owner');
    expect(await ready(second)).toEqual({ status: 200, role: 'owner', connected: true });
  });

  test.concurrent(
    'a port that is taken is said, with exit code 2; nothing is left',
    async ({ makeProject }) => {
      const taken = createServer().listen(0, '127.0.0.1');
      await until(() => taken.listening, 'a port is taken');
      const { port } = taken.address() as AddressInfo;
      const project = await makeProject(MONTHLY, 'exit 0', `client: { http: { port: ${port} } }`);
      // Marks all that the client starts: its guard has no other variable.
      const PATH = `${process.env['PATH'] ?? ''}:/${project.name}`;
      const { exitCode, stdout, stderr } = await project.hippo(['run'], { env: { PATH } });
      taken.close();
      expect({ exitCode, stdout, stderr }).toEqual({
        exitCode: 2,
        stdout: '',
        stderr: expect.stringContaining(
          [
            `✗ client.http cannot listen on 127.0.0.1:${port}`,
            '  the port is taken',
            '  → set client.http.port in hippo.yaml to a free port, or to 0 for any',
          ].join('\n'),
        ) as unknown,
      });
      await until(async () => (await processesTagged({ PATH })).length === 0, 'no process is left');
      expect((await readdir(project.directory)).sort()).toEqual(['hippo.yaml', 'job.sh']);
    },
  );
});
