import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Ordinals } from '../../src/kafka/ordinals.ts';

const growing = fc
  .tuple(
    fc.integer({ min: 0, max: 2 ** 40 }),
    fc.array(fc.integer({ min: 1, max: 1_000 }), { maxLength: 200 }),
  )
  .map(([first, steps]) => steps.reduce((all, step) => [...all, (all.at(-1) ?? first) + step], [first]));

function listOf(ordinals: readonly number[], memory?: Uint32Array): Ordinals {
  const list = new Ordinals(memory);
  for (const ordinal of ordinals) list.push(ordinal);
  return list;
}

/** Takes one off after the other. */
function contentOf(list: Ordinals): number[] {
  const content: number[] = [];
  for (let rest = list; rest.first !== undefined; [, rest] = rest.split(1)) content.push(rest.first);
  return content;
}

describe('the numbers that a batch keeps of its records', () => {
  it('have no first number in an empty batch', () => {
    expect(new Ordinals().first).toBeUndefined();
  });

  it('are read back as they were added, also from memory that was used before', () => {
    fc.assert(
      fc.property(growing, growing, (before, ordinals) => {
        expect(contentOf(listOf(ordinals, listOf(before).memory))).toEqual(ordinals);
      }),
      { numRuns: 50 },
    );
  });

  it('are split with the batch', () => {
    fc.assert(
      fc.property(growing, fc.nat(200), (ordinals, count) => {
        const [first, second] = listOf(ordinals).split(count);
        expect(contentOf(first)).toEqual(ordinals.slice(0, count));
        expect(contentOf(second)).toEqual(ordinals.slice(count));
      }),
      { numRuns: 50 },
    );
  });
});
