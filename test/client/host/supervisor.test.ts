import { access, readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { InputState } from '../../../src/state/index.ts';
import { attemptLogPath } from '../../../src/client/host/attempt-log.ts';
import { sh, supervised, until } from './supervised.ts';

// Many processes: on a busy machine they take their time.
vi.setConfig({ testTimeout: 30_000 });

/** Writes a line and runs until it is killed. */
const ENDLESS = 'echo started; while :; do sleep 0.05; done';

describe('an attempt', () => {
  it('succeeds by exit code 0; what it prints is in its log', async () => {
    await using host = await supervised();
    await host.script('job.sh', sh('echo to stdout', 'echo to stderr >&2'));
    const exit = await host.run();
    expect(exit.outcome).toEqual({ status: 'succeeded' });
    expect(await readFile(exit.logFile, 'utf8')).toBe('to stdout\nto stderr\n');
  });

  it('fails by any other, and says how with the end of its log', async () => {
    await using host = await supervised();
    await host.script('job.sh', sh('seq 1 30', 'echo no such table >&2', 'exit 3'));
    const { outcome } = await host.run();
    expect(outcome).toMatchObject({ status: 'failed', exitCode: 3 });
    const lines = outcome.status === 'failed' ? outcome.error.split('\n') : [];
    expect(lines[0]).toBe('./job.sh ended with exit code 3');
    expect(lines.slice(1)).toEqual([
      ...Array.from({ length: 19 }, (_, i) => String(i + 12)),
      'no such table',
    ]);
  });

  it('may print without end: its log stays below the limit, and its error has what it printed last', async () => {
    await using host = await supervised({ logs: { attempt_size: 2 ** 20 } });
    await host.script(
      'job.sh',
      sh(
        'yes | head -c 200000000',
        // What it prints in the moment of a cut may be lost.
        'until test "$(stat -Lc %s /proc/$$/fd/1)" -lt 1048576; do sleep 0.02; done',
        'echo no such table >&2',
        'exit 3',
      ),
    );
    const { outcome, logFile } = await host.run();
    expect(outcome).toMatchObject({ status: 'failed', exitCode: 3 });
    const error = outcome.status === 'failed' ? outcome.error.split('\n') : [];
    expect(error[0]).toBe('./job.sh ended with exit code 3');
    expect(error.at(-1)).toBe('no such table');
    expect((await stat(logFile)).size).toBeLessThanOrEqual(2 ** 20);
    const log = await readFile(logFile, 'utf8');
    expect(log).toMatch(
      /^(y\n)+hippo: \d+ bytes of this log were removed here, .* *\n(y?\n)+no such table\n$/,
    );
    expect(host.notes).toEqual([
      'warning: its log has reached 1 MiB (logs.attempt_size): from now on only its beginning and its end are kept',
    ]);
  });

  it('fails by a signal', async () => {
    await using host = await supervised();
    await host.script('job.sh', sh('kill -KILL $$'));
    expect((await host.run()).outcome).toEqual({
      status: 'failed',
      exitCode: null,
      signal: 'SIGKILL',
      error: './job.sh ended with signal SIGKILL',
    });
  });

  it('learns what it is from its environment', async () => {
    await using host = await supervised({ owner: 'cluster/flights', sparkSubmit: '/opt/spark-submit' });
    await host.script('job.sh', sh('env'));
    const submission = host.start({
      attempt: 2,
      attemptId: 'a-2',
      window: { start: Date.UTC(2017, 3, 1), end: Date.UTC(2017, 4, 1) },
      env: { FROM_YAML: 'a b', HIPPO_JOB: 'not to be changed' },
      traceparent: '00-11111111111111111111111111111111-2222222222222222-01',
    });
    await host.exitOf(submission);
    const lines = (await host.logOf(submission)).split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        'SPARK_SUBMIT=/opt/spark-submit',
        'FROM_YAML=a b',
        'HIPPO_NAME=flights',
        'HIPPO_JOB=load',
        'HIPPO_JOB_ID=load_1493394946',
        'HIPPO_RUN_KEY=201704',
        'HIPPO_ATTEMPT=2',
        'HIPPO_ATTEMPT_ID=a-2',
        'HIPPO_OWNER=cluster/flights',
        'HIPPO_WINDOW_START=2017-04-01T00:00:00.000Z',
        'HIPPO_WINDOW_END=2017-05-01T00:00:00.000Z',
        'HIPPO_INPUTS=[]',
        'HIPPO_TRACEPARENT=00-11111111111111111111111111111111-2222222222222222-01',
        `HIPPO_RESULT_FILE=${join(host.directory, '.hippo/results/cluster%2fflights/a-2.json')}`,
        expect.stringMatching(/^HIPPO_SPARK_TAGS=(hippo-[a-z]+-[0-9a-f]{16},?){4}$/),
      ]),
    );
    expect(lines.some((line) => line.startsWith('SPARK_MASTER='))).toBe(false);
  });

  it('has the last result, if there is one', async () => {
    await using host = await supervised();
    await host.script('job.sh', sh('echo "last: ${HIPPO_LAST_RESULT-none}"'));
    const first = host.start();
    await host.exitOf(first);
    expect(await host.logOf(first)).toContain('last: none');
    const next = host.start({ attemptId: 'a-3', lastResult: { watermark: 'é 1' } });
    await host.exitOf(next);
    expect(await host.logOf(next)).toContain('last: {"watermark":"é 1"}');
  });

  it('that builds a model is told what to build in $HIPPO_MODEL_FILE, which is removed after the attempt', async () => {
    await using host = await supervised({ owner: 'cluster/flights' });
    await host.script('job.sh', sh('cat "${HIPPO_MODEL_FILE-/dev/null}"'));
    const model = { model: 'iris', version: 'v1', params: { reg_param: 0.01 } };
    const submission = host.start({ model });
    expect((await host.exitOf(submission)).outcome.status).toBe('succeeded');
    expect(JSON.parse(await host.logOf(submission))).toEqual(model);
    expect(await readdir(join(host.directory, '.hippo/models/cluster%2fflights'))).toEqual([]);
    const other = host.start({ attemptId: 'a-3' });
    await host.exitOf(other);
    expect(await host.logOf(other)).toBe('');
  });

  it('has the variables of the local stack, unless hippo.yaml sets them', async () => {
    await using host = await supervised({ environment: { DATABASE_URL: 'of the stack', OTHER: 'too' } });
    await host.script('job.sh', sh('echo "$DATABASE_URL, $OTHER"'));
    const submission = host.start({ env: { OTHER: 'of hippo.yaml' } });
    await host.exitOf(submission);
    expect(await host.logOf(submission)).toContain('of the stack, of hippo.yaml');
  });

  it('gets its arguments as they are: no shell reads them', async () => {
    await using host = await supervised();
    await host.script('job.sh', sh('printf "%s\\n" "$@"'));
    const words = [
      '$(touch pwned)',
      '; touch pwned',
      '`touch pwned`',
      '--help',
      '*',
      '',
      "it's",
      'two\nlines',
    ];
    const submission = host.start({ argv: ['./job.sh', ...words] });
    expect((await host.exitOf(submission)).outcome.status).toBe('succeeded');
    expect(await host.logOf(submission)).toBe(`${words.join('\n')}\n`);
    await expect(access(join(host.directory, 'pwned'))).rejects.toThrow();
  });

  it.each([
    ['./missing.sh', '', '', /^\.\/missing\.sh does not exist in \//],
    [
      './job.sh',
      '',
      '#!/no/interpreter\n',
      /^\.\/job\.sh cannot be started: the interpreter in its first line does not exist$/,
    ],
    ['./job.sh', 'chmod -x', sh('exit 0'), /^\.\/job\.sh may not be executed: chmod \+x \//],
    ['no-such-program', '', '', /^no-such-program is not on the PATH$/],
  ])('that cannot be started fails: %s %s', async (program, spoilt, text, error) => {
    await using host = await supervised();
    const file = await host.script('job.sh', text);
    if (spoilt !== '') await import('node:fs/promises').then(({ chmod }) => chmod(file, 0o644));
    const { outcome } = await host.run({ argv: [program] });
    expect(outcome).toMatchObject({
      status: 'failed',
      exitCode: null,
      error: expect.stringMatching(error) as string,
    });
  });

  it.each([
    [
      'argument',
      { argv: ['./job.sh', '--day', 'x'.repeat(200_000)] },
      'argument 2 of ./job.sh has 200000 bytes; this system allows 131071. Read the inputs from $HIPPO_INPUTS_FILE instead',
    ],
    [
      'variable',
      { env: { WORDS: 'x'.repeat(200_000) } },
      'the variable WORDS has 200006 bytes; this system allows 131071. Read the inputs from $HIPPO_INPUTS_FILE instead',
    ],
    [
      'sum of its arguments',
      { argv: ['./job.sh', ...Array<string>(100).fill('x'.repeat(100_000))] },
      /^the arguments and variables of \.\/job\.sh have 10\d{6} bytes together, more than this system allows$/,
    ],
  ])('with a %s too long for this system fails for good', async (_, given, error) => {
    await using host = await supervised();
    await host.script('job.sh', sh('exit 0'));
    const { outcome } = await host.run(given);
    expect(outcome).toMatchObject({
      status: 'failed',
      error: typeof error === 'string' ? error : (expect.stringMatching(error) as string),
      permanent: true,
    });
  });
});

describe('the inputs', () => {
  const input = (need: string): InputState => ({
    topic: 'frontier-adw',
    partition: 0,
    offset: '1',
    need,
    version: 1,
    values: { yyyymm: '201704' },
    at: 1,
  });

  it('are in $HIPPO_INPUTS and in the file $HIPPO_INPUTS_FILE, which is removed after the attempt', async () => {
    await using host = await supervised({ owner: 'cluster/flights' });
    await host.script(
      'job.sh',
      sh('printf %s "$HIPPO_INPUTS" | cmp - "$HIPPO_INPUTS_FILE" && cat "$HIPPO_INPUTS_FILE"'),
    );
    const inputs = [input('btd.party')];
    const submission = host.start({ inputs });
    expect((await host.exitOf(submission)).outcome.status).toBe('succeeded');
    expect(JSON.parse(await host.logOf(submission))).toEqual(inputs);
    expect(await readdir(join(host.directory, '.hippo/inputs/cluster%2fflights'))).toEqual([]);
  });

  it('that are too many for a variable are in the file alone', async () => {
    await using host = await supervised();
    await host.script('job.sh', sh('echo "${HIPPO_INPUTS-unset}"; cat "$HIPPO_INPUTS_FILE"'));
    const inputs = Array.from({ length: 5_000 }, (_, index) => input(`btd.part_${index}`));
    const submission = host.start({ inputs });
    expect((await host.exitOf(submission)).outcome.status).toBe('succeeded');
    const [variable, file = ''] = (await host.logOf(submission)).split('\n');
    expect(variable).toBe('unset');
    expect(JSON.parse(file)).toHaveLength(5_000);
  });

  it.each(['inputs', 'results'])('of attempts whose client was killed are removed: %s', async (kind) => {
    await using host = await supervised({ owner: 'cluster/flights' });
    const file = await host.script(`.hippo/${kind}/cluster%2fflights/load-1.json`, '[]');
    const other = await host.script(`.hippo/${kind}/cluster%2fuat-%2fflights/load-1.json`, '[]');
    await host.supervisor.endOrphans();
    await expect(access(file)).rejects.toThrow();
    await expect(access(other)).resolves.toBeUndefined();
  });
});

describe('the result', () => {
  it('is what the job writes into $HIPPO_RESULT_FILE', async () => {
    await using host = await supervised({ needsResult: true });
    await host.script('job.sh', sh(`echo '{"rows": 3}' > "$HIPPO_RESULT_FILE"`));
    expect((await host.run()).outcome).toEqual({ status: 'succeeded', result: { rows: 3 } });
  });

  it('that is not a JSON object makes a failure of a success', async () => {
    await using host = await supervised();
    await host.script('job.sh', sh('echo 3 > "$HIPPO_RESULT_FILE"'));
    expect((await host.run()).outcome).toEqual({
      status: 'failed',
      exitCode: 0,
      error: 'the job exited with 0, but its $HIPPO_RESULT_FILE cannot be used: it is not a JSON object',
    });
  });

  it('that is required makes a failure of a success without one', async () => {
    await using host = await supervised({ needsResult: true });
    await host.script('job.sh', sh('exit 0'));
    expect((await host.run()).outcome).toEqual({
      status: 'failed',
      exitCode: 0,
      error: 'exit code 0, but $HIPPO_RESULT_FILE is empty, and the job has result: required',
    });
  });

  it('is not that of an earlier attempt', async () => {
    await using host = await supervised();
    await host.script('job.sh', sh('[ "$1" = write ] && echo "{}" > "$HIPPO_RESULT_FILE"', 'exit "$2"'));
    const attemptId = 'the-same';
    await host.run({ attemptId, argv: ['./job.sh', 'write', '1'] });
    expect((await host.run({ attemptId, argv: ['./job.sh', 'not', '0'] })).outcome).toEqual({
      status: 'succeeded',
    });
  });
});

describe('a cancellation', () => {
  it('ends the job, its children and what left its process group', async () => {
    await using host = await supervised();
    await host.script(
      'job.sh',
      sh('(while :; do sleep 0.05; done) &', 'setsid sh -c "(sleep 1000) & sleep 1000" &', ENDLESS),
    );
    const submission = host.start();
    await host.logged(submission, 'started');
    await until(async () => (await host.survivors(submission)).length >= 5);
    expect(host.supervisor.cancel(submission.attemptId, 'timed out after 2 h')).toBe(true);
    expect((await host.exitOf(submission)).outcome).toEqual({
      status: 'cancelled',
      reason: 'timed out after 2 h\nstarted',
    });
    expect(await host.survivors(submission)).toEqual([]);
  });

  it('kills what does not heed SIGTERM after the grace', async () => {
    await using host = await supervised({ killGrace: 200 });
    await host.script('job.sh', sh('trap "" TERM', ENDLESS));
    const submission = host.start();
    await host.logged(submission, 'started');
    host.supervisor.cancel(submission.attemptId, 'enough');
    expect((await host.exitOf(submission)).outcome).toMatchObject({
      status: 'cancelled',
      reason: expect.stringMatching(/^enough\nstarted/) as string,
    });
    expect(await host.survivors(submission)).toEqual([]);
  });

  it('is none of a success, even when the job then ends with exit code 0', async () => {
    await using host = await supervised();
    await host.script('job.sh', sh('trap "exit 0" TERM', ENDLESS));
    const submission = host.start();
    await host.logged(submission, 'started');
    host.supervisor.cancel(submission.attemptId, 'enough');
    expect((await host.exitOf(submission)).outcome.status).toBe('cancelled');
  });

  it('while a hook thinks starts nothing', async () => {
    const thinking = Promise.withResolvers<object>();
    await using host = await supervised({ beforeSubmit: () => thinking.promise });
    await host.script('job.sh', sh('touch ran'));
    const submission = host.start();
    host.supervisor.cancel(submission.attemptId, 'enough');
    thinking.resolve({});
    expect((await host.exitOf(submission)).outcome).toEqual({ status: 'cancelled', reason: 'enough' });
    await expect(access(join(host.directory, 'ran'))).rejects.toThrow();
  });

  it('of what is not there says so', async () => {
    await using host = await supervised();
    expect(host.supervisor.cancel('nobody', 'enough')).toBe(false);
  });
});

describe('an end of its own accord', () => {
  it('leaves nothing behind either', async () => {
    await using host = await supervised();
    await host.script('job.sh', sh('sleep 1000 &', 'setsid sleep 1000 &', 'exit 0'));
    const submission = host.start();
    expect((await host.exitOf(submission)).outcome).toEqual({ status: 'succeeded' });
    expect(await host.survivors(submission)).toEqual([]);
  });

  it('ends nothing of another hippo of the same name, not even of an attempt with the same id', async () => {
    await using host = await supervised({ owner: 'cluster/uat-/flights' });
    await using other = await supervised({ owner: 'cluster/flights' });
    await host.script('job.sh', sh('exit 0'));
    await other.script('job.sh', sh(ENDLESS));
    const submission = other.start({ attemptId: 'load-1' });
    await other.logged(submission, 'started');
    await host.run({ attemptId: 'load-1' });
    host.supervisor.killNow();
    expect(await other.survivors(submission)).not.toEqual([]);
  });
});

describe('a folder that cannot be written', () => {
  it('for records of attempts: fails the attempt when nothing of it is left', async () => {
    await using host = await supervised({ killGrace: 100 });
    await host.script('job.sh', sh("trap '' TERM", ENDLESS));
    await host.script('.hippo/attempts', 'a file, where a folder should be');
    const submission = host.start();
    const { outcome } = await host.exitOf(submission);
    expect(outcome).toMatchObject({
      status: 'failed',
      error: expect.stringContaining('.hippo/attempts') as string,
    });
    expect(await host.survivors(submission)).toEqual([]);
    expect(host.supervisor.running).toEqual([]);
  });

  it('after the job has ended, changes nothing about how it ended', async () => {
    await using host = await supervised();
    // Then the paths of its files go through a file.
    const spoil = ['attempts', 'results', 'inputs'].map(
      (name) => `mv .hippo/${name} .hippo/${name}.away; echo > .hippo/${name}`,
    );
    await host.script(
      'job.sh',
      sh('while [ -z "$(ls .hippo/attempts 2>/dev/null)" ]; do sleep 0.02; done', ...spoil),
    );
    expect((await host.run()).outcome).toEqual({ status: 'succeeded' });
  });
});

describe('a hippo that another client owns by now', () => {
  it('starts nothing, and reports nothing', async () => {
    await using host = await supervised({ isOwner: false });
    await host.script('job.sh', sh(ENDLESS));
    const submission = host.start();
    await until(() => host.supervisor.running.length === 0);
    expect(host.exits).toEqual([]);
    expect(await host.survivors(submission)).toEqual([]);
    await expect(access(attemptLogPath(host.directory, submission))).rejects.toThrow('ENOENT');
  });
});

describe('a stop', () => {
  it('ends all attempts, or those that are named, and reports none of them', async () => {
    await using host = await supervised();
    await host.script('job.sh', sh(ENDLESS));
    const [one, two] = [host.start(), host.start()];
    await host.logged(one, 'started');
    await host.logged(two, 'started');
    await host.supervisor.stop([one.attemptId]);
    expect(await host.survivors(one)).toEqual([]);
    expect(host.supervisor.running).toEqual([two.attemptId]);
    await host.supervisor.stop();
    expect(await host.survivors(two)).toEqual([]);
    expect(host.supervisor.running).toEqual([]);
    expect(host.exits).toEqual([]);
  });

  it('overrides a cancellation', async () => {
    await using host = await supervised({ killGrace: 200 });
    await host.script('job.sh', sh('trap "" TERM', ENDLESS));
    const submission = host.start();
    await host.logged(submission, 'started');
    host.supervisor.cancel(submission.attemptId, 'enough');
    await host.supervisor.stop();
    expect(host.exits).toEqual([]);
    expect(await host.survivors(submission)).toEqual([]);
  });
});

describe('a hook', () => {
  it('changes arguments and adds variables', async () => {
    await using host = await supervised({
      beforeSubmit: ({ args }) => ({ args: [...args, '--fast'], env: { FROM_HOOK: 'yes' } }),
    });
    await host.script('job.sh', sh('echo "$*" "$FROM_HOOK"'));
    const submission = host.start({ argv: ['./job.sh', '--day'] });
    await host.exitOf(submission);
    expect(await host.logOf(submission)).toBe('--day --fast yes\n');
  });

  it('vetoes', async () => {
    await using host = await supervised({ beforeSubmit: () => ({ veto: 'not on Sundays' }) });
    await host.script('job.sh', sh('touch ran'));
    expect((await host.run()).outcome).toEqual({ status: 'vetoed', reason: 'not on Sundays' });
    await expect(access(join(host.directory, 'ran'))).rejects.toThrow();
  });

  it('that throws fails its attempt, and no other', async () => {
    await using host = await supervised({
      beforeSubmit: ({ runKey }) => {
        if (runKey === '201705') throw new Error('no data');
        return {};
      },
    });
    await host.script('job.sh', sh('exit 0'));
    const [bad, good] = await Promise.all([host.run({ key: '201705' }), host.run()]);
    expect(bad.outcome).toEqual({ status: 'failed', exitCode: null, error: 'no data' });
    expect(good.outcome).toEqual({ status: 'succeeded' });
  });
});
