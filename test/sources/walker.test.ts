import { expect, it } from 'vitest';
import type { FileState, Place } from '../../src/sources/place.ts';
import { Walker } from '../../src/sources/walker.ts';

const DAY = 86_400_000;

/** A place with one partition, whose marker is in these states, one look after the other. */
function placeWith(states: readonly FileState[], hasHalfWrittenFiles: boolean): Place {
  const left = [...states];
  return {
    name: 'place',
    atOnce: 1,
    hasHalfWrittenFiles,
    pathOf: (names) => names.join('/'),
    open: () =>
      Promise.resolve({
        list: () => Promise.resolve([]),
        file: () => Promise.resolve(left.shift() ?? null),
        close: () => undefined,
      }),
  };
}

async function scan(place: Place): Promise<string[]> {
  const found: string[] = [];
  const walker = new Walker(place, { levels: [], marker: '_SUCCESS' }, '');
  for await (const landings of walker.scan(new AbortController().signal, () => undefined))
    found.push(...landings.map((landing) => landing.found));
  return found;
}

it('a marker that was made just now is listed as it is once it has its content', async () => {
  const [empty, written] = [
    { time: Date.now() + DAY, print: 'empty' },
    { time: Date.now() + DAY, print: 'written' },
  ];
  expect(await scan(placeWith([empty, written], true))).toEqual(['written']);
});

it('an older one is looked at once, and so is one that appears with its content', async () => {
  const [old, fresh] = [
    { time: Date.now() - DAY, print: 'old' },
    { time: Date.now() + DAY, print: 'fresh' },
  ];
  expect(await scan(placeWith([old], true))).toEqual(['old']);
  expect(await scan(placeWith([fresh], false))).toEqual(['fresh']);
});
