import { test } from 'vitest';
import { fuzzMachine } from './fuzzing.ts';

test('100,000 damaged messages are taken in or rejected, and a good one after them starts its run', () => {
  fuzzMachine(100_000);
});
