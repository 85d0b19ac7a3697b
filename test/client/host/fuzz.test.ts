import { test } from 'vitest';
import { fuzzMachine } from './fuzzing.ts';

const MESSAGES = Number(process.env['HIPPO_FUZZ_MESSAGES'] ?? 20_000);

test(`${MESSAGES} damaged messages are taken in or rejected, and a good one after them starts its run`, () => {
  fuzzMachine(MESSAGES);
}, 600_000);
