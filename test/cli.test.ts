import { describe, expect, it } from 'vitest';
import { hippo } from './support/cli.ts';

describe('the front door', () => {
  it('tells its version', async () => {
    const { exitCode, stdout } = await hippo(['--version']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^hippo \d+\.\d+\.\d+ \(node \d+\.\d+\.\d+, \S+\)\n$/);
  });

  it('tells an old Node which one the clone brings', async () => {
    const old = 'Object.defineProperty(process, "versions", { value: { node: "20.20.2" } })';
    const { exitCode, stderr } = await hippo(['--version'], {
      env: { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(old)}` },
    });
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^hippo needs Node \S+ or later; this is 20\.20\.2 \(\S+\)\.\n/);
    expect(stderr).toMatch(/\n {2}→ export PATH="\S+\/node_modules\/\.bin:\$PATH"\n$/);
  });

  it.each([[[]], [['--help']], [['help']]])('shows every command on one page: hippo %j', async (argv) => {
    const { exitCode, stdout } = await hippo(argv);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('\nCONFIGURE\n');
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it.each([
    [['schema', '--help']],
    [['schema', '-h']],
    [['help', 'schema']],
    [['schema', '--json', '--help']],
    [['schema', 'extra', '-h', '--bad']],
  ])("shows a command's page: hippo %j", async (argv) => {
    const { exitCode, stdout } = await hippo(argv);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^Print the JSON Schema of hippo.yaml[^]*USAGE\n {2}\$ hippo schema/);
  });

  it.each([[['job']], [['job', '--help']], [['help', 'job']]])(
    'shows what a topic of commands has: hippo %j',
    async (argv) => {
      const { exitCode, stdout } = await hippo(argv);
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(/COMMANDS\n {2}job cancel [^]*\n {2}job run /);
    },
  );

  it('takes words after -- as words, whatever they look like', async () => {
    const { exitCode, stderr } = await hippo(['schema', '--', '--help']);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: '✗ unexpected argument: --help\n  → hippo schema --help\n',
    });
  });

  it.each([
    [['shcema'], '✗ hippo has no command "shcema"\n  → hippo schema\n    hippo --help\n'],
    [['shcema', '--help'], '✗ hippo has no command "shcema"\n  → hippo schema\n    hippo --help\n'],
    [['job:pause'], '✗ hippo has no command "job:pause"\n  → hippo job pause\n    hippo --help\n'],
    [
      ['job', 'pase', 'x'],
      '✗ hippo has no command "job pase x"\n  → hippo job pause x\n    hippo job --help\n',
    ],
    [['tial', 'start'], '✗ hippo has no command "tial start"\n  → hippo tail start\n    hippo --help\n'],
    [
      ['jbo', 'pause', 'x'],
      '✗ hippo has no command "jbo pause x"\n  → hippo job pause x\n    hippo --help\n',
    ],
    [['job', 'hold', 'x'], '✗ hippo has no command "job hold x"\n  → hippo job --help\n'],
    [
      ['--quiet', 'schema'],
      '✗ hippo has no command "--quiet"\n  Flags come after the command.\n  → hippo --help\n',
    ],
    [['config', 'a', 'b'], '✗ unexpected argument: b\n  → hippo config --help\n'],
    [
      ['config', '--profil', 'x'],
      '✗ unknown flag --profil\n  Did you mean --profile?\n  → hippo config --help\n',
    ],
    [['up', '--port', 'x'], '✗ --port must be a whole number; it is "x"\n  → hippo up --help\n'],
    [['up', '--port', '0'], '✗ --port must be a whole number, at least 1; it is "0"\n  → hippo up --help\n'],
    [['up', '--port'], '✗ --port needs a value\n  → hippo up --help\n'],
    [
      ['tail', '--from', '1', '--last', '2'],
      '✗ --from and --last cannot be used together\n  → hippo tail --help\n',
    ],
    [['tractor', '--yes'], '✗ --yes goes only with --pull\n  → hippo tractor --help\n'],
    [
      ['job', 'run'],
      "✗ JOB is missing: The job: JOB of this project's hippo, or HIPPO/JOB.\n  → hippo job run --help\n",
    ],
    [
      ['trigger', '--timeout', 'soon'],
      '✗ --timeout must be a duration such as 500ms, 30s, 5m, 2h or 1d; it is "soon"\n  → --timeout 30m\n',
    ],
  ])('refuses wrong words with 2, and says what to type: hippo %j', async (argv, stderr) => {
    expect(await hippo(argv)).toMatchObject({ exitCode: 2, stdout: '', stderr });
  });

  it('refuses with 2 under --json too, as one object on stdout', async () => {
    const flag = await hippo(['schema', '--bad', '--json']);
    expect(flag).toMatchObject({ exitCode: 2, stderr: '' });
    expect(JSON.parse(flag.stdout)).toEqual({
      error: {
        kind: 'user',
        message: 'unknown flag --bad',
        exit_code: 2,
        next: ['hippo schema --help'],
      },
    });
  });
});
