import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { removeAll } from '../support/admin.ts';
import { MONTHLY, test } from '../support/project.ts';

describe('hippo tractor', () => {
  test.concurrent(
    'finds a run that failed, and pulls it out when its cause is gone',
    async ({ makeProject }) => {
      const project = await makeProject(MONTHLY, 'test -e mended || { echo "the disk is full"; exit 7; }');
      await project.startClient().event('owner');
      const landed = ['trigger', '--table', 'btd.party', '--partition', 'yyyymm=201704', '--wait'];
      expect((await project.hippo(landed)).exitCode).toBe(1);

      const found = await project.hippo(['tractor']);
      expect(found.exitCode).toBe(1);
      expect(
        found.stdout.replaceAll(/\d+(\.\d+)? (ms|s) ago/g, 'N s ago').replaceAll(/\d{4}-.* UTC/g, 'T'),
      ).toBe(
        `Failed runs (1)
  ✗ ${project.name}/load 201704
    failed N s ago: ./job.sh ended with exit code 7
    → hippo job run ${project.name}/load --key 201704

(${project.name}, events since T)
Run the failed run again: hippo tractor --pull
`,
      );

      const unasked = await project.hippo(['tractor', '--pull']);
      expect([unasked.exitCode, unasked.stderr]).toEqual([
        2,
        '✗ there is no terminal on which to ask for a confirmation\n  Nothing was changed.\n  → hippo tractor --pull --yes\n',
      ]);

      await writeFile(join(project.directory, 'mended'), '');
      const pulled = await project.hippo([
        'tractor',
        '--pull',
        '--yes',
        '--reason',
        'the disk has room',
        '--json',
      ]);
      expect(pulled.exitCode).toBe(0);
      expect(JSON.parse(pulled.stdout)).toMatchObject({
        pulled: [{ run_key: '201704', result: 'succeeded' }],
      });

      const after = await project.hippo(['tractor']);
      expect(after.exitCode).toBe(0);
      expect(after.stdout).toMatch(/^✓ Nothing is stuck/);
    },
  );

  test.concurrent(
    'asks for a run whose hippo has no client, and does not wait',
    async ({ makeProject, expect }) => {
      const project = await makeProject(MONTHLY, 'test -e mended');
      const before = project.startClient();
      await before.event('owner');
      const landed = ['trigger', '--table', 'btd.party', '--partition', 'yyyymm=201704', '--wait'];
      expect((await project.hippo(landed)).exitCode).toBe(1);
      before.kill('SIGTERM');
      await before.ended;

      const pulled = await project.hippo(['tractor', '--pull', '--yes', '--timeout', '1h']);
      expect([pulled.exitCode, pulled.stdout.replaceAll(/\s+/g, ' ')]).toEqual([
        4,
        expect.stringContaining(
          `! ${project.name}/load 201704 has been asked for, but no client of ${project.name} is running`,
        ),
      ]);
      await writeFile(join(project.directory, 'mended'), '');
      await project.startClient().event('owner');
      const stuck = async () => (await project.hippo(['tractor'])).stdout;
      await expect.poll(stuck, { timeout: 60_000 }).toMatch(/^✓ Nothing is stuck/);
    },
  );

  test.concurrent('names a hippo without a client, and what waits for it', async ({ makeProject }) => {
    const project = await makeProject(MONTHLY, 'sleep 300');
    const client = project.startClient();
    await client.event('owner');
    await project.hippo(['trigger', '--table', 'btd.party', '--partition', 'yyyymm=201704']);
    await client.event('submitted');
    client.kill('SIGTERM');
    await client.ended;
    const { exitCode, stdout } = await project.hippo(['tractor']);
    expect(exitCode).toBe(1);
    expect(stdout).toContain('Hippos without a client (1)');
    expect(stdout).toContain(`${project.name}: load 201704`);
    expect(stdout).toContain(`→ cd ${project.directory} && hippo run`);
  });
});

describe('a paused job whose run is ready', () => {
  test.concurrent(
    'is named by tractor, and what retention deletes after it was read is no loss',
    async ({ makeProject }) => {
      const project = await makeProject(MONTHLY);
      await project.startClient().event('owner');
      const asked = ['job', 'pause', 'load', '--by', 'ann', '--reason', 'disk full'];
      expect((await project.hippo(asked)).exitCode).toBe(0);
      const landed = ['trigger', '--table', 'btd.party', '--range', '201704..201707'];
      const waited = await project.hippo([...landed, '--wait', '--timeout', '5s']);
      expect(waited.exitCode).toBe(4);
      expect(waited.stdout.replaceAll(/\s+/g, ' ')).toMatch(
        new RegExp(
          `… ${project.name}/load 201704 is ready, but its job is paused by ann since 20[-\\dT:]+Z: disk full `,
        ),
      );
      expect(waited.stdout).toContain(`→ hippo job resume ${project.name}/load`);
      const group = async () => (await project.hippo(['doctor', 'group'])).stdout;
      await expect.poll(group, { timeout: 60_000 }).toContain('lag 0');

      await removeAll(project.brokers.split(','), `${project.prefix}frontier-adw`);
      const diagnosis = await project.hippo(['doctor', 'group']);
      expect([diagnosis.exitCode, diagnosis.stdout]).toEqual([0, expect.stringContaining('lag 0')]);

      const found = await project.hippo(['tractor']);
      expect(found.exitCode).toBe(1);
      expect(found.stdout.replaceAll(/\s+/g, ' ').replace(/\d+(\.\d+)? (ms|s) ago/, 'N s ago')).toContain(
        `Paused jobs (1) ! ${project.name}/load: 201704, 201705, 201706, and 1 more paused by ann N s ago: disk full; ` +
          `4 runs are ready, and not started while the job is paused → hippo job resume ${project.name}/load`,
      );
    },
  );
});

describe('failed runs of a job that was renamed', () => {
  test.concurrent(
    'are named as such, and settled without the job: marked as done, or forgotten',
    async ({ makeProject }) => {
      const project = await makeProject(MONTHLY, 'exit 7');
      const before = project.startClient();
      await before.event('owner');
      const landed = ['trigger', '--table', 'btd.party', '--range', '201704..201706', '--wait'];
      expect((await project.hippo(landed)).exitCode).toBe(1);
      before.kill('SIGTERM');
      await before.ended;
      const file = join(project.directory, 'hippo.yaml');
      await writeFile(file, (await project.file('hippo.yaml')).replace('load:', 'load2:'));
      const client = project.startClient();
      await client.event('owner');

      const job = `${project.name}/load`;
      const found = await project.hippo(['tractor']);
      expect([found.exitCode, found.stdout.replaceAll(/\s+/g, ' ')]).toEqual([
        1,
        expect.stringContaining(
          `Runs of jobs that are gone (1) ! ${job} 201704, 201705, 201706 (failed) job load is no longer in hippo.yaml of ` +
            `${project.name}; to let jobs that need a run go on, mark it as done: hippo job mark-success ${job} --key 201704 ` +
            `→ hippo forget ${job}`,
        ),
      ]);
      const pulled = await project.hippo(['tractor', '--pull', '--yes', '--json']);
      expect(JSON.parse(pulled.stdout)).toMatchObject({ pulled: null });

      const unknown = await project.hippo(['job', 'cancel', 'load', '--key', '201701']);
      expect([unknown.exitCode, unknown.stderr]).toEqual([2, expect.stringContaining('has no job load')]);
      const marked = await project.hippo(['job', 'mark-success', 'load', '--key', '201704', '--wait']);
      expect(marked.exitCode, marked.stderr).toBe(0);
      expect((await project.hippo(['job', 'cancel', job, '--key', '201705'])).exitCode).toBe(0);
      const left = async () => (await project.hippo(['tractor'])).stdout;
      await expect.poll(left, { timeout: 60_000 }).toContain(`! ${job} 201706 (failed)`);

      const refused = await project.hippo(['forget', `${job}2`, '--yes']);
      expect([refused.exitCode, refused.stderr]).toEqual([
        2,
        expect.stringContaining('nothing of a job load2'),
      ]);
      const forgotten = await project.hippo(['forget', job, '--yes']);
      expect([forgotten.exitCode, forgotten.stdout]).toEqual([
        0,
        expect.stringMatching(new RegExp(`^✓ ${job} is forgotten: \\d+ records of its state`)),
      ]);
      const after = await project.hippo(['tractor']);
      expect([after.exitCode, after.stdout]).toEqual([0, expect.stringContaining('Nothing is stuck')]);
      // The client has gone on all the time.
      expect(
        (await project.hippo(['trigger', '--table', 'btd.party', '--partition', 'yyyymm=201707'])).exitCode,
      ).toBe(0);
      await client.event('ended');
      const known = await project.hippo(['forget', `${job}2`, '--yes']);
      expect([known.exitCode, known.stderr]).toEqual([
        2,
        expect.stringContaining(`a client of ${project.name} runs that has the job load2`),
      ]);
    },
  );
});

describe('an event that is not newer than its landing', () => {
  test.concurrent(
    'is ignored for a reason that the wait and the client say, also if the landing is in the future',
    async ({ makeProject }) => {
      const project = await makeProject(MONTHLY);
      const client = project.startClient();
      await client.event('owner');
      const landed = (...more: string[]) =>
        project.hippo(['trigger', '--table', 'btd.party', '--partition', 'yyyymm=201704', ...more]);
      expect((await landed('--wait')).exitCode).toBe(0);
      const old = await landed('--exec-date', '2017-04-28', '--wait');
      expect([old.exitCode, old.stdout.replaceAll(/\s+/g, ' ')]).toEqual([
        4,
        expect.stringMatching(
          new RegExp(
            `No hippo reacted\\. ${project.name}/load ignores btd\\.party yyyymm=201704: its exec_date 2017-04-28T00:00:00Z ` +
              `is not newer than that of the landing 20\\S+Z \\(\\S+frontier-adw \\d+:0\\)\\. Run 201704 succeeded at 20\\S+Z\\. ` +
              `→ hippo trigger --table btd\\.party --partition yyyymm=201704 --exec-date now $`,
          ),
        ),
      ]);
      await client.event('notice', ({ text }) => text.includes('load ignores btd.party'));

      const future = await landed('--exec-date', '2099-01-01');
      expect(future.stderr.replaceAll(/\s+/g, ' ')).toContain(
        '! btd.party yyyymm=201704 has the exec_date 2099-01-01T00:00:00Z, which is in the future: hippos ignore',
      );
      await client.event('notice', ({ text }) => text.includes('which is in the future'));
    },
  );
});

describe('hippo doctor', () => {
  test.concurrent('finds a healthy project healthy, and a client that runs', async ({ makeProject }) => {
    const project = await makeProject(MONTHLY);
    await project.startClient().event('owner');
    const { exitCode, stdout } = await project.hippo([
      'doctor',
      'hippo-yaml',
      'kafka',
      'topics',
      'group',
      '--json',
    ]);
    expect(exitCode, stdout).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ totals: { ok: 4, warning: 0, error: 0 } });
  });

  test.concurrent('says what is wrong and what to type, and exits with 1', async ({ makeProject }) => {
    const project = await makeProject(MONTHLY);
    await rm(join(project.directory, 'job.sh'));
    const { exitCode, stdout } = await project.hippo(['doctor', 'start-scripts', 'topics', 'kafka'], {
      env: { HIPPO_BROKERS: '127.0.0.1:1' },
    });
    expect(exitCode).toBe(1);
    expect(stdout).toContain('job.sh');
    expect(stdout).toContain('127.0.0.1:1');
    expect(stdout).toContain('→ check $HIPPO_BROKERS');
  });
});
