import type { HippoMessage, Partition } from '../../messages/types.ts';
import type { FixedLevel, Listener } from './definition.ts';

/** With fewer, looking at each of them costs less than an index. */
const FEW = 8;

/** Needs that fix the same levels, by the values that they fix. */
interface Shape {
  levels: readonly FixedLevel[];
  byValues: Map<string, number[]>;
}

/** The needs of one subject. A job may need thousands of partitions of one table, and each message concerns a few of them. */
export class Listeners {
  readonly #all: readonly Listener[];
  /** Of those that fix no level, where they stand among all. */
  readonly #always: number[] = [];
  readonly #shapes: Shape[] = [];

  constructor(all: readonly Listener[]) {
    this.#all = all;
    const shapes = new Map<string, Shape>();
    for (const [index, { need }] of all.entries()) {
      if (need.fixed.length === 0) {
        this.#always.push(index);
        continue;
      }
      const id = JSON.stringify(need.fixed.map(({ name, at }) => [name.toLowerCase(), at]));
      const shape = shapes.get(id) ?? { levels: need.fixed, byValues: new Map<string, number[]>() };
      shapes.set(id, shape);
      const values = JSON.stringify(need.fixed.map(({ value }) => value));
      shape.byValues.set(values, [...(shape.byValues.get(values) ?? []), index]);
    }
    this.#shapes = [...shapes.values()];
  }

  /** Those that the message may concern, in the order of the file: all whose fixed levels it has, and perhaps more. */
  of(message: HippoMessage): readonly Listener[] {
    if (message.kind !== 'frontier' || this.#all.length <= FEW) return this.#all;
    const found = new Set(this.#always);
    for (const partition of message.partitions) {
      if (!isPlain(partition)) return this.#all;
      for (const { levels, byValues } of this.#shapes) {
        const values = levels.map((level) => valueOf(partition, level));
        for (const index of byValues.get(JSON.stringify(values)) ?? []) found.add(index);
      }
    }
    return [...found].sort((a, b) => a - b).flatMap((index) => this.#all[index] ?? []);
  }
}

/** Its levels either all have names, each another one, or none has. */
function isPlain(partition: Partition): boolean {
  const names = new Set(partition.map(({ name }) => name.toLowerCase()));
  return names.size === partition.length ? !names.has('') || partition.length === 1 : isNameless(partition);
}

function isNameless(partition: Partition): boolean {
  return partition.every(({ name }) => name === '');
}

function valueOf(partition: Partition, { name, at }: FixedLevel): string | undefined {
  return isNameless(partition)
    ? partition[at]?.value
    : partition.find((level) => level.name.toLowerCase() === name.toLowerCase())?.value;
}
