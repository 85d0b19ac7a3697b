import { closeSync, existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { execa } from '../../core/exec.ts';
import { messageOf } from '../../core/errors.ts';
import { endGroup, groupIsAlive, processesTagged, signalGroup } from './process-group.ts';
import { openLog } from './attempt-log.ts';

export interface Command {
  argv: readonly string[];
  cwd: string;
  /** Added to this process's own environment; undefined removes a variable. */
  env: Readonly<Record<string, string | undefined>>;
  /** These variables of {@link env} are unique to this process and what it starts. They find the processes that left the group. */
  tags: readonly string[];
}

export interface JobCommand extends Command {
  /** Where stdout and stderr go. */
  logFile: string;
}

export type JobEnd =
  | { kind: 'exited'; exitCode: number | null; signal: string | null }
  /** The program could not be started at all. */
  | { kind: 'not-started'; why: string; /** Starting it again fails in the same way. */ permanent?: true };

export interface JobProcess {
  /** The leader of the process group; null when nothing could be started. */
  readonly pid: number | null;
  /** Resolves when the program has ended and nothing of its group is left; never rejects. */
  readonly ended: Promise<JobEnd>;
}

/**
 * Starts a program in a session and process group of its own: a Ctrl-C at the client's terminal does not reach it,
 * and it can be ended with everything that it starts. No shell reads the words. stdin is empty.
 */
export function startProcess(command: JobCommand): JobProcess {
  let log: number;
  try {
    log = openLog(command.logFile);
  } catch (error) {
    return notStarted(`the log cannot be written: ${messageOf(error)}`);
  }
  try {
    return spawn(command, log as NarrowFd);
  } catch (error) {
    return notStarted(messageOf(error));
  } finally {
    // The child has its own copy: what it writes survives us.
    closeSync(log);
  }
}

/** As {@link startProcess}, for a program whose output this process takes in, as fast as `sink` does. */
export function startPiped(command: Command, sink: Writable): JobProcess {
  try {
    return spawn(command, 'pipe', sink);
  } catch (error) {
    return notStarted(messageOf(error));
  }
}

/** What a program printed last has been read after so long, milliseconds. */
const PIPES_MILLIS = 2_000;

/** execa passes any descriptor on as it is; its types name the first few. */
type NarrowFd = 3;

function spawn(command: Command, output: NarrowFd | 'pipe', sink?: Writable): JobProcess {
  const [program = '', ...args] = command.argv;
  const child = execa(program, args, {
    cwd: command.cwd,
    env: command.env,
    detached: true,
    cleanup: false,
    stdin: 'ignore',
    stdout: output,
    stderr: output,
    buffer: false,
    reject: false,
  });
  const pid = child.pid;
  if (sink !== undefined) {
    child.stdout?.pipe(sink, { end: false });
    child.stderr?.pipe(sink, { end: false });
    // The pipes stay open as long as a process that it left behind has them, and `child` does not resolve before.
    child.nodeChildProcess.once('exit', () => {
      if (pid !== undefined) void endLeftovers(pid, command).then(() => closeLater(child));
    });
  }
  if (pid === undefined) {
    return {
      pid: null,
      ended: child.then((result) => ({
        kind: 'not-started',
        why: whyNotStarted(command, result.code, result.originalMessage ?? ''),
        ...(result.code === 'E2BIG' ? { permanent: true } : {}),
      })),
    };
  }
  const ended = child.then(async (result): Promise<JobEnd> => {
    await endLeftovers(pid, command);
    return { kind: 'exited', exitCode: result.exitCode ?? null, signal: result.signal ?? null };
  });
  return { pid, ended };
}

/** What cannot be found may hold the pipes open, and is nothing of ours any more. */
function closeLater({ stdout, stderr }: { stdout: Readable | null; stderr: Readable | null }): void {
  setTimeout(() => {
    stdout?.destroy();
    stderr?.destroy();
  }, PIPES_MILLIS).unref();
}

/** After the leader has ended, kills the processes that it left in its group or that have left the group. */
async function endLeftovers(leader: number, command: Command): Promise<void> {
  if (groupIsAlive(leader)) signalGroup(leader, 'SIGKILL');
  await endTagged(Object.fromEntries(command.tags.map((name) => [name, command.env[name] ?? ''])), 0);
}

/** Ends every process with these tags, and its group unless that is ours. @returns how many there were */
export async function endTagged(
  tags: Readonly<Record<string, string>>,
  grace: number,
  spare: (environment: Readonly<Record<string, string>>) => boolean = () => false,
): Promise<number> {
  const found = (await processesTagged(tags)).filter((process) => !spare(process.environment));
  await Promise.all([...new Set(found.map(({ group }) => group))].map((group) => endGroup(group, grace)));
  return found.length;
}

function notStarted(why: string): JobProcess {
  return { pid: null, ended: Promise.resolve({ kind: 'not-started', why }) };
}

function whyNotStarted(command: Command, code: string | undefined, message: string): string {
  const program = command.argv[0] ?? '';
  const path = program.includes('/') ? resolve(command.cwd, program) : program;
  if (!existsSync(command.cwd)) return `the project's folder is gone: ${command.cwd}`;
  switch (code) {
    case 'ENOENT':
      return program.includes('/')
        ? existsSync(path)
          ? `${program} cannot be started: the interpreter in its first line does not exist`
          : `${program} does not exist in ${command.cwd}`
        : `${program} is not on the PATH`;
    case 'EACCES':
      return `${program} may not be executed: chmod +x ${path}`;
    case 'E2BIG':
      return tooBig(command);
    default:
      return `${program} cannot be started: ${message === '' ? (code ?? 'unknown reason') : message}`;
  }
}

/** Linux: no argument and no `NAME=value` may be longer (MAX_ARG_STRLEN, with its final zero byte). */
const MAX_ONE = 128 * 1024 - 1;

/** Names what is too big for execve(2): one argument, one variable, or all of them together. */
function tooBig({ argv, env }: Command): string {
  const program = argv[0] ?? '';
  const words = [
    ...argv.slice(1).map((text, index) => ({ name: `argument ${index + 1} of ${program}`, text })),
    ...Object.entries({ ...process.env, ...env }).map(([name, value = '']) => ({
      name: `the variable ${name}`,
      text: `${name}=${value}`,
    })),
  ].map(({ name, text }) => ({ name, bytes: Buffer.byteLength(text) }));
  const largest = words.reduce((most, word) => (word.bytes > most.bytes ? word : most), {
    name: '',
    bytes: 0,
  });
  if (largest.bytes > MAX_ONE) {
    return `${largest.name} has ${largest.bytes} bytes; this system allows ${MAX_ONE}. Read the inputs from $HIPPO_INPUTS_FILE instead`;
  }
  const all = words.reduce((sum, { bytes }) => sum + bytes, 0);
  return `the arguments and variables of ${program} have ${all} bytes together, more than this system allows`;
}
