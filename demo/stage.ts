/** What the stories of `npm run demo` share: a folder of their own, hippo's commands, clients in the background, and their end. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, open, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { pollStart } from '../src/core/deadline.ts';
import { formatDuration } from '../src/core/duration.ts';
import { type ErrorReport, ExitCode, messageOf } from '../src/core/errors.ts';
import { ExecaError, execa, spawnDetached } from '../src/core/exec.ts';
import { renderErrorReport } from '../src/ui/errors.ts';

const HIPPO = fileURLToPath(new URL('../bin/run.js', import.meta.url));
/** How long a client may take until it listens, and how long its log may stay as it is until then; milliseconds. */
const CLIENT_START = { millis: 300_000, quiet: 60_000 };
/** Exit codes of a doctor that found no error: on a busy machine a check may have had no time. */
const DOCTOR_FINE: readonly number[] = [ExitCode.ok, ExitCode.timeout];

/** The error of a hippo that printed it as JSON. */
class HippoFailed extends Error {
  readonly report: ErrorReport;

  constructor(report: ErrorReport) {
    super(report.message);
    this.report = report;
  }
}

interface Client {
  project: string;
  process: ChildProcess;
}

export interface Stack {
  brokers: string[];
  kafka: { version: string };
  spark: { version: string };
}

/** Where a story happens. */
export class Stage {
  /** The folder of the projects; `hippo up` is run there, so that they share one stack. */
  readonly home: string;
  readonly #clients: Client[] = [];
  readonly #stopping = new AbortController();

  constructor(home: string) {
    this.home = home;
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => this.#stopping.abort());
  }

  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  say(line: string): void {
    process.stdout.write(`${line}\n`);
  }

  /**
   * Runs a command as a script does, and returns what it says. Its progress is shown.
   *
   * @param quietly further words, which are not shown
   * @param fine the exit codes of a success
   */
  async hippo<Result>(
    cwd: string,
    args: string[],
    quietly: string[] = [],
    fine: readonly number[] = [ExitCode.ok],
  ): Promise<Result> {
    this.say(`$ hippo ${args.join(' ')}`);
    const run = await execa(process.execPath, [HIPPO, ...args, ...quietly, '--json'], {
      cwd,
      stderr: 'inherit',
      reject: false,
      cancelSignal: this.stopping,
    });
    this.stopping.throwIfAborted();
    const said = JSON.parse(run.stdout || '{}') as { error?: ErrorReport };
    if (said.error !== undefined) throw new HippoFailed(said.error);
    if (!fine.includes(run.exitCode ?? -1)) {
      throw new Error(`hippo ${args.join(' ')} ended with exit code ${run.exitCode}:\n${run.stdout}`);
    }
    return said as Result;
  }

  /** Runs a command as a person does. */
  async tell(cwd: string, args: string[]): Promise<void> {
    this.say(`$ hippo ${args.join(' ')}`);
    await execa(process.execPath, [HIPPO, ...args], {
      cwd,
      stdout: 'inherit',
      stderr: 'inherit',
      cancelSignal: this.stopping,
    });
  }

  /** Starts the project's client in the background, and waits until it listens. @param env more variables */
  async startClient(project: string, env: Record<string, string> = {}): Promise<void> {
    const log = await open(this.#logOf(project), 'a');
    const child = spawnDetached('./start-client.sh', {
      cwd: project,
      env: { ...process.env, HIPPO, ...env },
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
    });
    await log.close();
    this.#clients.push({ project, process: child });
    await this.#listening(project, child);
  }

  /** Shows how many of the doctor's checks are fine. */
  async doctor(project: string): Promise<void> {
    const { totals } = await this.hippo<{ totals: Record<string, number> }>(
      project,
      ['doctor'],
      [],
      DOCTOR_FINE,
    );
    const some = Object.entries(totals).filter(([, count]) => count > 0);
    this.say(`  ${some.map(([status, count]) => `${count} ${status}`).join(', ')}`);
  }

  /** Leaves everything running, and says how to end it. */
  leave(): void {
    this.say(`\nIt all goes on in ${this.home}. When you have seen enough (hippo as below):`);
    for (const { project, process: child } of this.#clients) {
      this.say(`  kill ${child.pid}    # the client of ${basename(project)}`);
      child.unref();
    }
    this.say(`  (cd ${this.home} && hippo down)`);
    this.say(`  rm -r ${this.home}`);
  }

  /** Ends the clients and the stack, in sight of the reader. */
  async end(): Promise<void> {
    await this.#endClients();
    await this.hippo(this.home, ['down']);
  }

  /** What failed, the clients' logs, and where all of it is kept. */
  async explain(error: unknown): Promise<void> {
    this.say(`\n${whatFailed(error)}`);
    for (const { project } of this.#clients) {
      const log = await readFile(this.#logOf(project), 'utf8').catch(() => '');
      if (log !== '') this.say(`\nThe log of the client of ${basename(project)}:\n${log}`);
    }
    this.say(`\nThe logs are kept. When you have read them: rm -r ${this.home}`);
  }

  /** Whatever happened: no process is left. */
  async stopAll(): Promise<void> {
    await this.#endClients();
    await execa(process.execPath, [HIPPO, 'down'], { cwd: this.home, reject: false });
  }

  #logOf(project: string): string {
    return join(this.home, `${basename(project)}.log`);
  }

  /** The client is up when it has said so in `.hippo/client.json`. */
  async #listening(project: string, child: ChildProcess): Promise<void> {
    const isUp = (): boolean => {
      if (child.exitCode !== null) throw new Error(`the client of ${basename(project)} ended at once`);
      return existsSync(join(project, '.hippo', 'client.json'));
    };
    const sign = async (): Promise<number> => (await stat(this.#logOf(project))).size;
    const started = await pollStart(isUp, { every: 100, ...CLIENT_START, sign, signal: this.stopping });
    if (started !== 'ready') throw new Error(`the client of ${basename(project)} did not start`);
  }

  async #endClients(): Promise<void> {
    await Promise.all(this.#clients.map(({ process: child }) => endClient(child)));
  }
}

/**
 * Tells a story in a folder of its own, with a Kafka of its own; both are gone afterwards. `--keep` leaves both, to go on
 * playing. Where it fails, the folder with the logs stays. Sets the exit code.
 *
 * @param moral what to try next, printed at the end
 */
export async function tellStory(
  story: (stage: Stage) => Promise<void>,
  moral: (took: string) => string[],
  keep: boolean,
): Promise<void> {
  const started = performance.now();
  const stage = new Stage(await mkdtemp(join(tmpdir(), 'hippo-demo-')));
  try {
    await story(stage);
    if (keep) stage.leave();
    else await stage.end();
    for (const line of moral(formatDuration(performance.now() - started))) stage.say(line);
  } catch (error) {
    if (!stage.stopping.aborted) await stage.explain(error);
    process.exitCode = stage.stopping.aborted ? ExitCode.interrupted : ExitCode.notFine;
  } finally {
    if (!keep || process.exitCode !== undefined) await stage.stopAll();
    const hasFailed = process.exitCode === ExitCode.notFine;
    if (!keep && !hasFailed) await rm(stage.home, { recursive: true, force: true });
  }
}

/** An error as hippo itself prints it. */
function whatFailed(error: unknown): string {
  if (error instanceof HippoFailed) return renderErrorReport(error.report);
  return `✗ ${error instanceof ExecaError ? error.shortMessage : messageOf(error)}`;
}

async function endClient(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}
