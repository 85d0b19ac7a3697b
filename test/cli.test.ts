import { describe, expect, it } from 'vitest';
import { hippo } from './support/cli.ts';

describe('the front door', () => {
  it('tells its version', async () => {
    const { exitCode, stdout } = await hippo(['--version']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^hippo \d+\.\d+\.\d+ \(node \d+\.\d+\.\d+, \S+\)\n$/);
  });

  it.each([[[]], [['--help']], [['help']]])('shows every command on one page: hippo %j', async (argv) => {
    const { exitCode, stdout } = await hippo(argv);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('\nCONFIGURE\n');
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
  });

  it.each([[['schema', '--help']], [['schema', '-h']], [['help', 'schema']]])(
    "shows a command's page: hippo %j",
    async (argv) => {
      const { exitCode, stdout } = await hippo(argv);
      expect(exitCode).toBe(0);
      expect(stdout).toMatch(/^Print the JSON Schema of hippo.yaml[^]*USAGE\n {2}\$ hippo schema/);
    },
  );

  it('refuses an unknown command and an unknown flag with 2, with and without --json', async () => {
    const command = await hippo(['shcema']);
    expect(command).toMatchObject({ exitCode: 2, stdout: '' });
    expect(command.stderr).toBe('✗ hippo has no command "shcema"\n  → hippo schema\n    hippo --help\n');
    const flag = await hippo(['schema', '--bad', '--json']);
    expect(flag).toMatchObject({ exitCode: 2, stderr: '' });
    expect(JSON.parse(flag.stdout)).toEqual({
      error: {
        kind: 'user',
        message: 'Nonexistent flag: --bad',
        exit_code: 2,
        next: ['hippo schema --help'],
      },
    });
  });
});
