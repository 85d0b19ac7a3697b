import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { execa } from '../src/core/exec.ts';
import { HIPPO } from './support/cli.ts';

const EVENT = '{"db":"btd","table":"party","partition":[],"exec_date":"1493394946"}\n';
/** It reads its standard input until that ends, and needs no broker. */
const WORDS = 'trigger --file - --dry-run';

/** How a command ends that gets SIGHUP while it is at work. @param start a line of bash that starts it */
async function afterHangup(start: string): Promise<'goes on' | 'ends'> {
  const env = {
    PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
    HIPPO_BROKERS: '127.0.0.1:1',
  };
  // `exec`, or bash for a single command, keeps the process id, so that the signal reaches hippo itself.
  const child = execa('bash', ['-c', start], { env, stdin: 'pipe', reject: false });
  const shown = new Promise((resolve) => child.stdout.once('data', resolve));
  child.stdin.write(EVENT);
  await Promise.race([shown, child]);
  child.kill('SIGHUP');
  child.stdin.end(EVENT);
  const { exitCode, signal, stderr } = await child;
  if (signal === 'SIGHUP' || exitCode === 129) return 'ends';
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  return 'goes on';
}

describe('SIGHUP', () => {
  test.concurrent.each([
    ['ends a command', `exec ${HIPPO} ${WORDS}`, 'ends'],
    ['under nohup does not', `exec nohup ${HIPPO} ${WORDS}`, 'goes on'],
    ['where a script ignores it does not', `trap '' HUP; exec ${HIPPO} ${WORDS}`, 'goes on'],
    ['where a script handles it does', `trap 'exit 1' HUP; exec ${HIPPO} ${WORDS}`, 'ends'],
    ['under nohup does not, started by node', `nohup node ${HIPPO} ${WORDS}`, 'goes on'],
    ['under nohup and a script does not', `exec nohup bash -c '${HIPPO} ${WORDS}; exit $?'`, 'goes on'],
  ])('%s', async (_, start, expected) => {
    expect(await afterHangup(start)).toBe(expected);
  });
});
