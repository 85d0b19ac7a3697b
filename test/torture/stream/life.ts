/** The life of one stream-etl project under kills: it is fed all the time, and at its end all that was sent is looked for. */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, openSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from '../../../src/core/exec.ts';
import { parseFrontier } from '../../../src/messages/index.ts';
import { HIPPO, hippo } from '../../support/cli.ts';
import {
  type StreamProject,
  archived,
  changeConfig,
  produce,
  scaffoldStream,
  twice,
} from '../../support/stream-etl.ts';
import { type Kill, stepTaken } from './kill.ts';

const TOPIC = 'shop.events';
const PATIENCE = 600_000;
/** Each second so many events are sent; a second is five minutes of event time. */
const EVENTS = 20;
const MINUTES = 5;
const START = Date.UTC(2024, 2, 1);
/** Of so many events one is for an hour that has probably landed. */
const LATE = 200;

export interface Verdict {
  sent: number;
  archived: number;
  lost: number;
  doubled: number;
  landings: number;
  events: number;
  batches: number;
  fenced: number;
  violations: string[];
}

export class Life {
  readonly #folder: string;
  readonly #project: StreamProject;
  #client: ChildProcess;
  #brokers = '';
  readonly #sent: string[] = [];
  #isFeeding = true;
  readonly #feeding: Promise<void>;
  #fenced = 0;

  static async begin(): Promise<Life> {
    const folder = await mkdtemp(join(tmpdir(), 'hippo-stream-torture-'));
    const sections = 'client: { session_timeout: 30s, kill_grace: 1s, http: { port: 0 } }\n';
    const project = await scaffoldStream(join(folder, 'clicks'), { topic: TOPIC, sections });
    // The archive alone, so that there is time for more kills; it is never given up.
    await changeConfig(
      project,
      '    events: {}\n',
      '    events: {}\n    max_backoff: 1s\n    give_up: { after: 1000 }\n',
    );
    await changeConfig(project, '      - --format\n', '      - --trigger\n      - 1s\n      - --format\n');
    await up(project);
    const life = new Life(folder, project);
    await hippo(['job', 'pause', 'aggregate'], { cwd: project.folder, env: project.env });
    return life;
  }

  private constructor(folder: string, project: StreamProject) {
    this.#folder = folder;
    this.#project = project;
    this.#brokers = brokersOf(project);
    this.#client = this.#startClient();
    this.#feeding = this.#feed();
  }

  /** Kills, and waits until a new hour has landed; null: the archive never came to that step. How long that took, milliseconds. */
  async kill({ victim, step }: Kill): Promise<number | null> {
    const { folder } = this.#project;
    if (!(await stepTaken(step, folder))) return null;
    const begun = performance.now();
    switch (victim) {
      case 'Spark':
        await this.#killProgram('java');
        break;
      case 'Python':
        await this.#killProgram('python');
        break;
      case 'client':
        await this.#killClient();
        break;
      case 'broker':
        process.kill(stackOf(this.#project).kafka.pid, 'SIGKILL');
        await sleep(2000);
        await up(this.#project);
        break;
      case 'frozen Spark':
        await this.#freeze();
        break;
    }
    const landed = this.#landings();
    await this.#until(() => this.#landings() > landed, `a landing after ${victim} was killed at ${step}`);
    return performance.now() - begun;
  }

  /** Until it is gone it may still land something. */
  async #killProgram(program: string): Promise<void> {
    const running = (): number[] =>
      this.#processes().flatMap((each) => (each.program.includes(program) ? [each.pid] : []));
    await this.#until(() => running().length > 0, `${program} runs`);
    const killed = running();
    for (const pid of killed) signalOne(pid, 'SIGKILL');
    await this.#until(() => !running().some((pid) => killed.includes(pid)), `${program} ends`);
  }

  /** Its Spark goes on until the next client ends it, and starts its own. */
  async #killClient(): Promise<void> {
    const left = new Set(this.#processes().map(({ pid }) => pid));
    this.#client.kill('SIGKILL');
    this.#client = this.#startClient();
    const isReplaced = (): boolean => {
      const now = this.#processes();
      return now.length > 0 && now.every(({ pid }) => !left.has(pid));
    };
    await this.#until(isReplaced, 'the next client starts its own archive');
  }

  /** Spark stands still while another process archives; then it wakes, finds itself fenced, and ends. */
  async #freeze(): Promise<void> {
    await this.#until(() => this.#processes().length > 0, 'an archive to freeze');
    const frozen = this.#processes();
    this.#signal('SIGSTOP');
    const landed = this.#landings();
    const env = { ...process.env, ...this.#project.env, SPARK_APP: 'spark-app/archive.py', HIPPO_PORT: '' };
    const other = spawn('./start-spark.sh', this.#arguments(), {
      cwd: this.#project.folder,
      env: { ...env, HIPPO_EVENTS_FILE: join(this.#folder, 'other-events') },
      stdio: ['ignore', this.#log(), this.#log()],
      detached: true,
    });
    const lands = (): boolean => {
      if (other.exitCode !== null) throw new Error(`the other Spark ended with ${other.exitCode}`);
      return this.#landings() > landed;
    };
    await this.#until(lands, 'a landing of the other Spark');
    for (const { pid } of frozen) signalOne(pid, 'SIGCONT');
    await this.#until(
      () => frozen.every(({ pid }) => !this.#processes().some((one) => one.pid === pid)),
      'the woken Spark ends',
    );
    this.#fenced += 1;
    process.kill(-(other.pid ?? 0), 'SIGKILL');
  }

  /** Stops feeding, waits until all has landed, and counts. */
  async end(): Promise<Verdict> {
    this.#isFeeding = false;
    await this.#feeding;
    const staged = join(this.#project.folder, 'data/archive/_work/shop.events/staging');
    const isComplete = async (): Promise<boolean> =>
      readdirSync(staged).length === 0 && (await archived(this.#project)).length >= this.#sent.length;
    const violations: string[] = [];
    await this.#until(isComplete, 'all has landed').catch((error: unknown) => violations.push(String(error)));
    const found = await archived(this.#project);
    const ids = new Set(found.map(({ id }) => id));
    const lost = this.#sent.filter((id) => !ids.has(id));
    const doubled = twice(found.map(({ record }) => record));
    if (lost.length > 0) violations.push(`lost: ${lost.slice(0, 5).join(', ')}`);
    if (doubled.length > 0) violations.push(`twice: ${doubled.slice(0, 5).join(', ')}`);
    const entries = this.#entries();
    const landings = entries.filter(({ kind }) => kind === 'landing');
    await this.#until(async () => (await this.#events()).length >= landings.length, 'all is announced').catch(
      (error: unknown) => violations.push(String(error)),
    );
    const events = await this.#events();
    const announcedRows = events.reduce((sum, { rows }) => sum + rows, 0);
    if (events.length !== landings.length)
      violations.push(`${landings.length} landings, ${events.length} events`);
    if (announcedRows !== found.length)
      violations.push(`${found.length} records, and ${announcedRows} in the events`);
    return {
      sent: this.#sent.length,
      archived: found.length,
      lost: lost.length,
      doubled: doubled.length,
      landings: landings.length,
      events: events.length,
      batches: entries.filter(({ kind }) => kind === 'batch').length,
      fenced: this.#fenced,
      violations,
    };
  }

  async close(): Promise<void> {
    this.#isFeeding = false;
    this.#client.kill('SIGTERM');
    await this.#until(
      () => this.#processes().length === 0 && this.#client.exitCode !== null,
      'the client ends',
    ).catch(() => this.#signal('SIGKILL'));
    await hippo(['down'], { cwd: this.#project.folder, env: this.#project.env });
    if (process.exitCode === 0) await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 });
    else console.error(`kept: ${this.#folder}`);
  }

  async #feed(): Promise<void> {
    for (let second = 0; this.#isFeeding; second += 1) {
      const records = Array.from({ length: EVENTS }, (_, index) => {
        const number = second * EVENTS + index;
        const isLate = number % LATE === LATE - 1;
        const time = START + (second - (isLate ? 60 : 0)) * MINUTES * 60_000;
        return { id: `e-${number}`, time: new Date(Math.max(START, time)).toISOString() };
      });
      await this.#send(records);
      this.#sent.push(...records.map(({ id }) => id));
      await sleep(1000);
    }
  }

  /** kcat ends where its broker does. It is unknown then what was written: an event may be in the topic twice, as two records. */
  async #send(records: Parameters<typeof produce>[2]): Promise<void> {
    await this.#until(
      () =>
        produce(this.#brokers, TOPIC, records).then(
          () => true,
          () => false,
        ),
      'events are sent',
    );
  }

  #startClient(): ChildProcess {
    return spawn(process.execPath, [HIPPO, 'run'], {
      cwd: this.#project.folder,
      env: { ...process.env, ...this.#project.env, NODE_ENV: undefined },
      stdio: ['ignore', this.#log(), this.#log()],
    });
  }

  #log(): number {
    mkdirSync(this.#folder, { recursive: true });
    return openSync(join(this.#folder, 'client.log'), 'a');
  }

  /** The arguments of the archive, as hippo.yaml has them. */
  #arguments(): string[] {
    const text = readFileSync(join(this.#project.folder, 'hippo.yaml'), 'utf8');
    const section = text.slice(text.indexOf('args:'), text.indexOf('port:'));
    return [...section.matchAll(/^ +- (.*)$/gm)].map(([, word = '']) => word);
  }

  /** The processes of the archive that the client runs. */
  #processes(): { pid: number; program: string }[] {
    return readdirSync('/proc').flatMap((name) => {
      if (!/^\d+$/.test(name)) return [];
      try {
        const environment = readFileSync(`/proc/${name}/environ`, 'latin1');
        if (!environment.includes('HIPPO_SERVICE=archive\0')) return [];
        if (!readlinkSync(`/proc/${name}/cwd`).startsWith(this.#project.folder)) return [];
        const [program = ''] = readFileSync(`/proc/${name}/cmdline`, 'latin1').split('\0');
        return program === '' ? [] : [{ pid: Number(name), program }];
      } catch {
        return [];
      }
    });
  }

  #signal(signal: NodeJS.Signals): void {
    for (const { pid } of this.#processes()) signalOne(pid, signal);
  }

  #entries(): { kind: string }[] {
    const journal = join(this.#project.folder, 'data/archive/_work/shop.events/journal');
    return readdirSync(journal)
      .filter((name) => /^\d/.test(name))
      .map((name) => JSON.parse(readFileSync(join(journal, name), 'utf8')) as { kind: string });
  }

  #landings(): number {
    try {
      return this.#entries().filter(({ kind }) => kind === 'landing').length;
    } catch {
      return 0;
    }
  }

  async #events(): Promise<{ rows: number }[]> {
    const args = [
      '-b',
      this.#brokers,
      '-C',
      '-t',
      'frontier-adw',
      '-e',
      '-q',
      '-X',
      'isolation.level=read_committed',
    ];
    const { stdout } = await execa('kcat', args);
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const parsed = parseFrontier(line);
        if (!parsed.ok) throw new Error(line);
        return { rows: (JSON.parse(line) as { rows: number }).rows };
      });
  }

  async #until(look: () => boolean | Promise<boolean>, what: string): Promise<void> {
    const deadline = Date.now() + PATIENCE;
    while (!(await look())) {
      if (Date.now() > deadline) {
        appendFileSync(join(this.#folder, 'client.log'), `torture: did not happen: ${what}\n`);
        throw new Error(`did not happen: ${what}`);
      }
      await sleep(100);
    }
  }
}

function signalOne(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

async function up({ folder, env }: StreamProject): Promise<void> {
  const { exitCode, stderr } = await hippo(['up'], { cwd: folder, env, timeout: PATIENCE });
  if (exitCode !== 0) throw new Error(stderr);
}

function stackOf({ folder }: StreamProject): { brokers: string[]; kafka: { pid: number } } {
  return JSON.parse(readFileSync(join(folder, '.hippo/stack.json'), 'utf8')) as ReturnType<typeof stackOf>;
}

function brokersOf(project: StreamProject): string {
  return stackOf(project).brokers.join(',');
}
