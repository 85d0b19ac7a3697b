// Prints `N passed, N failed`, the sum of vitest's JSON reports: `node scripts/count-tests.mjs REPORT …`.
import { readFileSync } from 'node:fs';

const files = process.argv.slice(2).flatMap((path) => JSON.parse(readFileSync(path, 'utf8')).testResults);
const count = (wanted) =>
  files.flatMap(({ assertionResults }) => assertionResults).filter(({ status }) => status === wanted).length;
// A file that could not be loaded has no tests.
const broken = files.filter(
  ({ status, assertionResults }) =>
    status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
).length;
console.log(`${count('passed')} passed, ${count('failed') + broken} failed`);
