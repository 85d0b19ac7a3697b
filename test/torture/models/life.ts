/** The life of one ml-service project under kills: builds are asked for one after the other, and the API all the time. */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from '../../../src/core/exec.ts';
import { loadModel } from '../../../src/predict/index.ts';
import { HIPPO, hippo } from '../../support/cli.ts';
import {
  type MlProject,
  change,
  freePort,
  heldOut,
  processesOf,
  scaffoldMl,
  versionsOf,
} from '../../support/ml-service.ts';
import { type Kill, stepTaken } from './kill.ts';

const PATIENCE = 600_000;
/** How long something is frozen: longer than three looks of the client at a service. */
const FROZEN = 8_000;
/** How far an answer may be from what Spark says. */
const NEAR = 1e-6;

export interface Verdict {
  asked: number;
  announced: number;
  lost: number;
  doubled: number;
  answers: number;
  versions: number;
  wrong: number;
  unpromoted: number;
  unanswered: number;
  dropped: number;
  broken: number;
  violations: string[];
}

interface Announced {
  message: string;
  version: string;
  promoted: boolean;
}

export class Life {
  readonly #folder: string;
  readonly #project: MlProject;
  readonly #brokers: string;
  #client: ChildProcess;
  #asked = 0;
  /** Answers by version, with one of each different kind. */
  readonly #answers = new Map<string, Map<string, { class: string; probabilities: number[] }>>();
  #served: string | null = null;
  #count = 0;
  #unanswered = 0;
  readonly #dropped: string[] = [];
  /** From a kill of the API, or of its client, to the next answer. */
  #isDisturbed = true;
  readonly #over = new AbortController();
  #row = '';
  #asking = Promise.resolve();

  static async begin(): Promise<Life> {
    const folder = await mkdtemp(join(tmpdir(), 'hippo-model-torture-'));
    const sections = 'client: { session_timeout: 30s, kill_grace: 1s, http: { port: 0 } }\n';
    const project = await scaffoldMl(join(folder, 'ml'), {
      example: 'iris',
      port: await freePort(),
      sections,
    });
    // Each version is promoted and kept; an attempt that was killed is made again at once; the API is never given up.
    await change(
      project,
      'hippo.yaml',
      '    promote: { metric: accuracy, better: higher, margin: 0.02 }\n',
      '',
    );
    await change(project, 'hippo.yaml', 'versions: 10', 'versions: 1000');
    await change(project, 'hippo.yaml', 'attempts: 0, backoff: 30s', 'attempts: 20, backoff: 1s');
    const api = '    metrics: /metrics\n';
    await change(project, 'hippo.yaml', api, `${api}    max_backoff: 1s\n    give_up: { after: 1000 }\n`);
    await up(project);
    const life = new Life(folder, project);
    // What is asked for before the hippo was first owned starts nothing.
    const log = join(folder, 'client.log');
    await life.#until(
      () => readFileSync(log, 'utf8').includes('owner of hippo.'),
      'the client owns the hippo',
    );
    await life.#build();
    await life.#until(async () => (await life.#announced()).length > 0, 'the first version is announced');
    await life.#beginToAsk();
    await life.#untilServed();
    return life;
  }

  private constructor(folder: string, project: MlProject) {
    this.#folder = folder;
    this.#project = project;
    this.#brokers = stackOf(project).brokers.join(',');
    this.#client = this.#startClient();
  }

  /** A flower that each version has held out: that goes by its values. */
  async #beginToAsk(): Promise<void> {
    const [version = ''] = await versionsOf(this.#project);
    const [row] = (await heldOut(this.#project, version)).rows;
    this.#row = row?.features.join() ?? '';
    this.#asking = this.#keepAsking();
  }

  /** Asks for a build, kills at a step of it, and waits until it serves; null: it never came to that step. Milliseconds. */
  async kill({ victim, step }: Kill): Promise<number | null> {
    const before = new Set(await versionsOf(this.#project));
    const taken = stepTaken(step, this.#project, { before, served: () => this.#served, patience: PATIENCE });
    await this.#build();
    if (!(await taken)) return null;
    const begun = performance.now();
    switch (victim) {
      case 'Spark':
        this.#signal('build', 'SIGKILL', 'java');
        break;
      case 'Python':
        this.#signal('build', 'SIGKILL', 'python');
        break;
      case 'API':
        this.#isDisturbed = true;
        this.#signal('api', 'SIGKILL');
        break;
      case 'client':
        this.#isDisturbed = true;
        this.#client.kill('SIGKILL');
        this.#client = this.#startClient();
        break;
      case 'broker':
        process.kill(stackOf(this.#project).kafka.pid, 'SIGKILL');
        await sleep(2000);
        await up(this.#project);
        break;
      case 'frozen build':
        await this.#freeze('build');
        break;
      case 'frozen API':
        this.#isDisturbed = true;
        await this.#freeze('api');
        break;
    }
    await this.#untilServed();
    return performance.now() - begun;
  }

  /** Stops asking, and compares what was asked, announced and answered. */
  async end(): Promise<Verdict> {
    this.#over.abort();
    await this.#asking;
    const messages = await this.#announced();
    const versions = messages.map(({ version }) => version);
    const promoted = new Set(messages.filter((each) => each.promoted).map(({ version }) => version));
    const doubled = versions.filter((version, index) => versions.indexOf(version) !== index);
    const lost = Math.max(0, this.#asked - new Set(versions).size);
    const unpromoted = [...this.#answers.keys()].filter((version) => !promoted.has(version));
    const broken = (
      await Promise.all([...new Set(versions)].map((version) => this.#problemOf(version)))
    ).flat();
    const wrong = (await Promise.all([...this.#answers].map((each) => this.#wrongOf(...each)))).flat();
    const violations = [
      ...(lost > 0 ? [`${this.#asked} builds were asked for, and ${new Set(versions).size} announced`] : []),
      ...(new Set(versions).size > this.#asked ? ['more versions were announced than builds asked for'] : []),
      ...doubled.map((version) => `announced twice: ${version}`),
      ...unpromoted.map((version) => `served without being promoted: ${version}`),
      ...this.#dropped.slice(0, 5).map((text) => `no answer: ${text}`),
      ...[...broken, ...wrong].slice(0, 5),
    ];
    return {
      asked: this.#asked,
      announced: messages.length,
      lost,
      doubled: doubled.length,
      answers: this.#count,
      versions: this.#answers.size,
      wrong: wrong.length,
      unpromoted: unpromoted.length,
      unanswered: this.#unanswered,
      dropped: this.#dropped.length,
      broken: broken.length,
      violations,
    };
  }

  async close(): Promise<void> {
    this.#over.abort();
    this.#client.kill('SIGTERM');
    const hasEnded = (): boolean => this.#client.exitCode !== null || this.#client.signalCode !== null;
    await this.#until(hasEnded, 'the client ends').catch(() => this.#client.kill('SIGKILL'));
    for (const name of ['build', 'api']) this.#signal(name, 'SIGKILL');
    await hippo(['down'], { cwd: this.#project.folder, env: this.#project.env });
    if (process.exitCode === 0) await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 });
    else console.error(`kept: ${this.#folder}`);
  }

  async #keepAsking(): Promise<void> {
    while (!this.#over.signal.aborted) {
      try {
        const answer = await fetch(`${this.#project.api}/features/${this.#row}/probs`, {
          signal: AbortSignal.timeout(30_000),
        });
        const body = (await answer.json()) as {
          model_version: string;
          probabilities: Record<string, number>;
        };
        if (answer.status !== 200) throw new Error(`${answer.status} ${JSON.stringify(body)}`);
        this.#note(body.model_version, answer.headers.get('hippo-model-version') ?? '', body.probabilities);
        this.#isDisturbed = false;
      } catch (error) {
        if (this.#isDisturbed) this.#unanswered += 1;
        else this.#dropped.push(String(error));
      }
      await sleep(5);
    }
  }

  #note(version: string, inHeader: string, byClass: Record<string, number>): void {
    this.#count += 1;
    this.#served = version;
    const probabilities = Object.values(byClass);
    const label = Object.keys(byClass)[probabilities.indexOf(Math.max(...probabilities))] ?? '';
    const known = this.#answers.get(version) ?? new Map<string, { class: string; probabilities: number[] }>();
    known.set(JSON.stringify([inHeader, probabilities]), { class: label, probabilities });
    this.#answers.set(version, known);
    if (inHeader !== version) this.#dropped.push(`the header names ${inHeader}, the body ${version}`);
  }

  /** Answers that are not what the version's own model says. */
  async #wrongOf(
    version: string,
    answers: ReadonlyMap<string, { class: string; probabilities: number[] }>,
  ): Promise<string[]> {
    const { rows } = await heldOut(this.#project, version);
    const row = rows.find(({ features }) => features.join() === this.#row);
    if (row === undefined) return [`${version} has not held out ${this.#row}`];
    return [...answers.values()].flatMap(({ class: label, probabilities }) => {
      const isNear = row.probabilities.every(
        (value, index) => Math.abs(value - (probabilities[index] ?? NaN)) < NEAR,
      );
      return isNear && label === row.class
        ? []
        : [`${version} has answered ${JSON.stringify(probabilities)}`];
    });
  }

  async #problemOf(version: string): Promise<string[]> {
    const { folder, model } = this.#project;
    const place = { location: join(folder, 'data/models', model) };
    try {
      (await loadModel(place, { name: model, version, signal: AbortSignal.timeout(60_000) })).dispose();
      return [];
    } catch (error) {
      return [`${version} is not whole: ${String(error)}`];
    }
  }

  /** With another parameter each time, so that no two versions answer the same. */
  async #build(): Promise<void> {
    const regParam = 0.001 * (1 + (this.#asked % 50));
    const args = ['model', 'build', this.#project.model, '--param', `reg_param=${regParam.toFixed(3)}`];
    const { exitCode, stderr } = await hippo(args, { cwd: this.#project.folder, env: this.#project.env });
    if (exitCode !== 0) throw new Error(stderr);
    this.#asked += 1;
  }

  /** Waits until each build that was asked for is announced, and the newest version answers. */
  async #untilServed(): Promise<void> {
    const isServed = async (): Promise<boolean> => {
      const messages = await this.#announced().catch(() => []);
      return messages.length >= this.#asked && this.#served === messages.at(-1)?.version;
    };
    await this.#until(isServed, `build ${this.#asked} serves`);
  }

  async #announced(): Promise<Announced[]> {
    const args = [
      '-b',
      this.#brokers,
      '-C',
      '-t',
      'hippo-model',
      '-e',
      '-q',
      '-X',
      'isolation.level=read_committed',
    ];
    const { stdout } = await execa('kcat', args);
    const messages = stdout.split('\n').filter((line) => line !== '');
    return messages
      .map((line) => JSON.parse(line) as Announced)
      .filter(({ message }) => message === 'NEW_MODEL');
  }

  async #freeze(name: 'build' | 'api'): Promise<void> {
    const frozen = processesOf(this.#project, name);
    for (const { pid } of frozen) signalOne(pid, 'SIGSTOP');
    await sleep(FROZEN);
    for (const { pid } of frozen) signalOne(pid, 'SIGCONT');
  }

  #signal(name: string, signal: NodeJS.Signals, program = ''): void {
    for (const each of processesOf(this.#project, name))
      if (each.program.includes(program)) signalOne(each.pid, signal);
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

  async #until(look: () => boolean | Promise<boolean>, what: string): Promise<void> {
    const deadline = Date.now() + PATIENCE;
    while (!(await look())) {
      if (Date.now() > deadline) {
        appendFileSync(join(this.#folder, 'client.log'), `torture: did not happen: ${what}\n`);
        throw new Error(`did not happen: ${what}`);
      }
      await sleep(200);
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

async function up({ folder, env }: MlProject): Promise<void> {
  const { exitCode, stderr } = await hippo(['up', '--no-spark'], { cwd: folder, env, timeout: PATIENCE });
  if (exitCode !== 0) throw new Error(stderr);
}

function stackOf({ folder }: MlProject): { brokers: string[]; kafka: { pid: number } } {
  return JSON.parse(readFileSync(join(folder, '.hippo/stack.json'), 'utf8')) as ReturnType<typeof stackOf>;
}
