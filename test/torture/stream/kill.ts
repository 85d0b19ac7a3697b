/** What is killed, and at which step of the archive. */
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Spark's JVM; the Python of its driver; the client, whose guard then ends Spark; the broker; Spark frozen until another one has written. */
export const VICTIMS = ['Spark', 'Python', 'client', 'broker', 'frozen Spark'] as const;
export type Victim = (typeof VICTIMS)[number];

/** In the order in which the archive makes them: each is seen by the file or folder that it begins with. */
export const STEPS = ['staging', 'counted', 'compacting', 'landing', 'placed', 'announced'] as const;
export type Step = (typeof STEPS)[number];

export interface Kill {
  victim: Victim;
  step: Step;
  /** Where it comes among the others. */
  order: number;
}

export const STEP_WORDS: Record<Step, string> = {
  staging: 'a batch is being staged',
  counted: 'a batch has its entry',
  compacting: 'an hour is being compacted',
  landing: 'a landing has its entry',
  placed: 'its files are in place',
  announced: 'it is announced',
};

const PATIENCE = 240_000;

/** Resolves when the archive takes this step the next time; false: it did not. */
export async function stepTaken(step: Step, folder: string): Promise<boolean> {
  const work = join(folder, 'data/archive/_work/shop.events');
  const before = marksOf(step, folder, work);
  const deadline = Date.now() + PATIENCE;
  while (Date.now() < deadline) {
    if ([...marksOf(step, folder, work)].some((mark) => !before.has(mark))) return true;
    await sleep(1);
  }
  return false;
}

function marksOf(step: Step, folder: string, work: string): Set<string> {
  switch (step) {
    case 'staging':
      return new Set(namesIn(join(work, 'staging')));
    case 'compacting':
      return new Set(namesIn(join(work, 'compacted')));
    case 'counted':
    case 'landing': {
      const journal = join(work, 'journal');
      const kind = step === 'counted' ? '"kind": "batch"' : '"kind": "landing"';
      return new Set(
        namesIn(journal).filter((name) => /^\d/.test(name) && hasKind(join(journal, name), kind)),
      );
    }
    case 'placed': {
      const table = join(folder, 'data/archive/shop.events');
      return new Set(existsSync(table) ? readdirSync(table, { recursive: true }).map(String) : []);
    }
    case 'announced': {
      const events = join(folder, '.hippo/services/archive/events');
      const sized = namesIn(events).map((name) => ({ name, size: sizeOf(join(events, name)) }));
      // Each process begins with an empty file, long before it announces anything.
      return new Set(sized.filter(({ size }) => size > 0).map(({ name, size }) => `${name} ${size}`));
    }
  }
}

const kinds = new Map<string, string>();
/** An entry never changes. */
function hasKind(file: string, kind: string): boolean {
  const text = kinds.get(file) ?? readFileSync(file, 'utf8').slice(0, 40);
  kinds.set(file, text);
  return text.includes(kind);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
