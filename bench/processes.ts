/** What a process costs. Only on Linux: elsewhere 0. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

const SAMPLE_MS = 20;

export interface Costs {
  seconds: number;
  /** The process's own processor time, seconds. */
  cpu: number;
  /** The peak of resident memory, MB. */
  memory: number;
}

export interface Running {
  cwd: string;
  env: Readonly<Record<string, string>>;
  /** Ends the process when it returns true for what the process has printed on a line. Left out: it ends by itself. */
  until?: (line: string) => boolean;
  /** The exit codes of a command that has done what it was asked for. */
  allowed?: readonly number[];
}

/** Runs a program, to its end or until it prints a line, and says what it cost by then. */
export async function costOf(argv: readonly string[], running: Running): Promise<Costs> {
  const { cwd, env, until, allowed = [0] } = running;
  const [program = '', ...words] = argv;
  const began = performance.now();
  const child = spawn(program, words, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', until === undefined ? 'ignore' : 'pipe', 'inherit'],
  });
  let costs: Costs = { seconds: 0, cpu: 0, memory: 0 };
  const look = (): void => {
    costs = {
      seconds: (performance.now() - began) / 1000,
      cpu: Math.max(costs.cpu, processorTime(child.pid)),
      memory: Math.max(costs.memory, peakMemory(child.pid)),
    };
  };
  const sampler = setInterval(look, SAMPLE_MS);
  let reached: Costs | undefined;
  let rest = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    if (reached !== undefined || until === undefined || !lines.some(until)) return;
    look();
    reached = costs;
    child.kill('SIGTERM');
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  clearInterval(sampler);
  if (reached !== undefined) return reached;
  if (until !== undefined || !allowed.includes(code ?? -1))
    throw new Error(`${argv.join(' ')} ended with ${code ?? 'a signal'}`);
  return { ...costs, seconds: (performance.now() - began) / 1000 };
}

/** `1.52 s (1.90 s), 150 MB`: by the clock, and of the processors. */
export function costsText({ seconds, cpu, memory }: Costs): string {
  return `${seconds.toFixed(2)} s (${cpu.toFixed(2)} s), ${Math.round(memory)} MB`;
}

/** Seconds; Linux counts in hundredths. */
export function processorTime(pid: number | undefined): number {
  try {
    const fields =
      readFileSync(`/proc/${pid ?? ''}/stat`, 'utf8')
        .split(') ')[1]
        ?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return 0;
  }
}

/** MB; the kernel keeps the peak. */
export function peakMemory(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid ?? ''}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
