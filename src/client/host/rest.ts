import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Millis } from '../../core/clock.ts';

/** How often it is looked whether the client is at rest. */
const LOOK: Millis = 1_000;
/** A client at rest uses a smaller share of one processor than this. */
const SHARE_AT_REST = 0.05;
/** Less than this is not worth a collection, bytes. */
const WORTH = 4 * 1024 * 1024;

/** What the process has used. */
export interface Usage {
  /** Processor time since its start. */
  cpu: Millis;
  /** Of V8's heap and the buffers that it holds, bytes. */
  memory: number;
}

interface RestOptions {
  /** Present usage. */
  usage: () => Usage;
  /** Gives memory back to the system. */
  collect: () => void;
}

/**
 * Has memory given back when the client has worked and is at rest again. V8 collects when its heap is about to grow: without
 * this, a client that has taken a backlog in would keep what that took for as long as nothing more happens.
 */
export class Rest {
  readonly #options: RestOptions;
  #cpu: Millis;
  /** After the last collection. */
  #memory = 0;

  constructor(options: RestOptions) {
    this.#options = options;
    this.#cpu = options.usage().cpu;
  }

  /** @param passed since the last look */
  look(passed: Millis): void {
    const { usage, collect } = this.#options;
    const { cpu, memory } = usage();
    const isAtRest = cpu - this.#cpu < passed * SHARE_AT_REST;
    this.#cpu = cpu;
    if (!isAtRest || memory - this.#memory < WORTH) return;
    collect();
    const after = usage();
    this.#cpu = after.cpu;
    this.#memory = after.memory;
  }
}

/** Looks each second, until the function that it returns is called. The timer does not keep the process alive. */
export function giveBackAtRest(): () => void {
  const rest = new Rest({ usage: ownUsage, collect: collectAll });
  const timer = setInterval(() => rest.look(LOOK), LOOK).unref();
  return () => clearInterval(timer);
}

function ownUsage(): Usage {
  const { user, system } = process.cpuUsage();
  const { total_heap_size: heap, external_memory: external } = getHeapStatistics();
  return { cpu: (user + system) / 1_000, memory: heap + external };
}

/**
 * Collects as V8 does when memory is short, which also shrinks the young generation and forgets code that was not used lately.
 * Takes 0.1 to 0.5 s on a busy machine, once when work is over. V8 offers that to programs in contexts that are made while a
 * flag is set; a context takes half a megabyte, so none is kept. The flag is unset again: a code cache that was made with other
 * flags is not accepted.
 */
function collectAll(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: {
    type: 'major';
    execution: 'sync';
    flavor: 'last-resort';
  }) => void;
  setFlagsFromString('--no-expose-gc');
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
