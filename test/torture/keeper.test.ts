import { expect, it } from 'vitest';
import { livesOf, overlaps } from './keeper.ts';

it("the judge of the crash test finds two owners' services at once, and an epoch that goes back", () => {
  const apart = ['a 1 10.00', 'a 1 10.50', 'b 2 10.51', 'b 2 11.00', 'b'];
  expect(overlaps(livesOf(apart))).toEqual([]);
  expect(overlaps(livesOf([...apart, 'a 1 10.75']))).toEqual(["two owners' services ran at once for 0.24 s"]);
  expect(overlaps(livesOf([...apart, 'c 1 12.00']))).toEqual(["an owner's service of epoch 1 began after 2"]);
});
