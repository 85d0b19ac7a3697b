import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { shellWord } from '../src/core/shell.ts';

/** One program, or several with pipes between them, as a person would type them. */
export interface Contender {
  name: string;
  /** Each an argv. The last one's stdout goes to a file. */
  pipeline: readonly (readonly string[])[];
  env?: Readonly<Record<string, string>>;
}

/** What is compared, in one run: hippo and its peers by turns, so that a busy machine is busy for all. */
export interface Race {
  what: string;
  ours: Contender;
  peers: readonly (Contender & {
    /** How fast hippo is to be, as a multiple of the peer's speed. Left out: as it comes. */
    reach?: number;
  })[];
  /** Of hippo's peak memory, MB. */
  memory?: number;
  /** Default 5; one more comes first and does not count. */
  rounds?: number;
}

/** A part of the benchmarks; it may need what {@link Stage} offers. */
export interface Suite {
  name: string;
  races?(stage: Stage): Promise<Race[]>;
  measures?(stage: Stage): Promise<Measure[]>;
}

/** What no race of whole commands can tell; each is a sentence. */
export interface Measure {
  what: string;
  ours: string;
  peer: string;
}

/** What the suites share. */
export interface Stage {
  /** `host:port` of a Kafka of the benchmark's own. */
  brokers: string;
  /** The built CLI, as an argv. */
  hippo: readonly string[];
  /** What hippo needs to use that Kafka and nothing else of this machine's. */
  env: Readonly<Record<string, string>>;
  /** A folder of its own, removed at the end. */
  folder: string;
  /** A file of a million frontier events of 144 bytes, one a line. */
  events: string;
  say(text: string): void;
}

export interface Measured {
  name: string;
  /** Median, seconds; null: not installed. */
  seconds: number | null;
  /** Median of the processor time of all its threads and processes, seconds: what a busy machine changes least. */
  cpu: number | null;
  /** Peak of resident memory, MB, over all rounds; null where it is not known. */
  memory: number | null;
}

export interface Result {
  race: Race;
  ours: Measured;
  peers: Measured[];
}

const ROUNDS = 5;
const SAMPLE_MS = 10;

/** Runs all contenders by turns and takes the median of each. */
export async function run(race: Race, stage: Stage): Promise<Result> {
  const contenders = [race.ours, ...race.peers];
  const runs = contenders.map(() => [] as Run[]);
  const present = contenders.map(({ pipeline }) => pipeline.every(([program]) => isInstalled(program ?? '')));
  for (let round = 0; round <= (race.rounds ?? ROUNDS); round++) {
    for (const [index, contender] of contenders.entries()) {
      if (present[index] !== true) continue;
      stage.say(`${race.what}: ${contender.name}, ${round === 0 ? 'warming up' : `round ${round}`}`);
      const measured = await runOnce(contender, stage);
      if (round > 0) runs[index]?.push(measured);
    }
  }
  const [ours, ...peers] = contenders.map(({ name }, index): Measured => {
    const all = runs[index] ?? [];
    const memory = Math.max(...all.map((one) => one.memory ?? 0));
    return {
      name,
      seconds: all.length === 0 ? null : median(all.map((one) => one.seconds)),
      cpu: all.length === 0 ? null : median(all.map((one) => one.cpu)),
      memory: memory > 0 ? memory : null,
    };
  });
  if (ours === undefined) throw new Error('no contender ran');
  return { race, ours, peers };
}

interface Run {
  seconds: number;
  cpu: number;
  memory: number | null;
}

async function runOnce({ name, pipeline, env }: Contender, { folder }: Stage): Promise<Run> {
  const line = pipeline.map((argv) => argv.map(shellWord).join(' ')).join(' | ');
  const [output, errors] = [join(folder, 'output'), join(folder, 'errors')];
  // The folder holds no hippo.yaml. bash's own `time` counts every process of a pipeline.
  const script = `set -o pipefail; TIMEFORMAT='%U %S'; { time ${line} > ${shellWord(output)}; } 2> ${shellWord(errors)}`;
  const started = performance.now();
  const child = spawn('bash', ['-c', script], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: 'ignore',
  });
  let memory: number | null = null;
  const sampler = setInterval(() => (memory = peakMemory(child.pid) ?? memory), SAMPLE_MS);
  const [code] = (await once(child, 'exit')) as [number | null];
  const seconds = (performance.now() - started) / 1000;
  clearInterval(sampler);
  const said = readFileSync(errors, 'utf8');
  if (code !== 0) throw new Error(`${name} failed (${code ?? 'killed'}): ${line}\n${said}`);
  const [user = 0, system = 0] = (said.trimEnd().split('\n').at(-1) ?? '').split(' ').map(Number);
  return { seconds, cpu: user + system, memory: pipeline.length === 1 ? memory : null };
}

/** Of the only child of a shell, MB; the kernel keeps the peak. Only on Linux. */
function peakMemory(shell: number | undefined): number | null {
  try {
    const child = readFileSync(`/proc/${shell ?? ''}/task/${shell ?? ''}/children`, 'utf8').trim();
    const kilobytes = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${child}/status`, 'utf8'))?.[1];
    return kilobytes === undefined ? null : Number(kilobytes) / 1024;
  } catch {
    return null;
  }
}

function isInstalled(program: string): boolean {
  const places = program.includes('/') ? [''] : (process.env['PATH'] ?? '').split(delimiter);
  return places.some((place) => statSync(join(place, program), { throwIfNoEntry: false })?.isFile() === true);
}

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** The results as one table of Markdown: medians, ratios, and whether what is to be reached was. */
export function markdown(results: readonly Result[]): string {
  const rows = results.flatMap(({ race, ours, peers }) => {
    const mine = [race.what, timing(ours), memory(ours)];
    const compared = peers.map((peer, index) => {
      const reach = race.peers[index]?.reach;
      const wanted = reach === undefined ? '–' : `≥ ${Number(reach.toFixed(2))}×`;
      if (peer.seconds === null || ours.seconds === null)
        return [...mine, `${peer.name}: not installed`, '–', '–', wanted, '–'];
      const ratio = peer.seconds / ours.seconds;
      const cpu = (peer.cpu ?? 0) / (ours.cpu ?? 1);
      return [
        ...mine,
        `${peer.name}: ${timing(peer)}`,
        `${ratio.toFixed(2)}×`,
        `${cpu.toFixed(2)}×`,
        wanted,
        reach === undefined ? '' : mark(ratio >= reach),
      ];
    });
    if (race.memory === undefined) return compared;
    const fits = mark((ours.memory ?? Infinity) <= race.memory);
    return [...compared, [...mine, '–', '–', '–', `≤ ${race.memory} MB`, fits]];
  });
  const head = ['what', 'hippo', 'memory', 'peer', 'speed', 'by processor time', 'reach', ''];
  return [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
}

export function measuresTable(measures: readonly Measure[]): string {
  const rows = measures.map(({ what, ours, peer }) => `| ${what} | ${ours} | ${peer} |`);
  return ['| what | hippo | beside it |', '| --- | --- | --- |', ...rows].join('\n');
}

/** `1.52 s (1.90 s)`: by the clock, and of the processors. */
function timing(measured: Measured): string {
  if (measured.seconds === null || measured.cpu === null) return '–';
  return `${seconds(measured.seconds)} (${seconds(measured.cpu)})`;
}

function seconds(value: number): string {
  return value < 1 ? `${Math.round(value * 1000)} ms` : `${value.toFixed(2)} s`;
}

function memory({ memory: value }: Measured): string {
  return value === null ? '–' : `${Math.round(value)} MB`;
}

function mark(reached: boolean): string {
  return reached ? '✓' : '✗';
}
