/**
 * Tells what hippos do on a real Kafka and a real Spark: `npm run demo` tells of one hippo,
 * `npm run demo -- etl` of a chain of three.
 *
 * Everything happens in a folder of its own, with a Kafka of its own, and is gone afterwards; `--keep` leaves both,
 * to go on playing. Where it fails, the folder with the logs stays.
 */
import { parseArgs } from 'node:util';
import { moralOfBatch, tellBatch } from './batch.ts';
import { moralOfEtl, tellEtl } from './etl.ts';
import { tellStory } from './stage.ts';

const STORIES = {
  batch: [tellBatch, moralOfBatch],
  etl: [tellEtl, moralOfEtl],
} as const;

const { values, positionals } = parseArgs({
  options: { keep: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const [name = 'batch'] = positionals;
if (name in STORIES) {
  const [story, moral] = STORIES[name as keyof typeof STORIES];
  await tellStory(story, moral, values.keep);
} else {
  process.stderr.write(`✗ there is no story "${name}"\n  → npm run demo, npm run demo -- etl\n`);
  process.exitCode = 2;
}
