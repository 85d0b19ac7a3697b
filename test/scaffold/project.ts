import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { newProject } from '../../src/scaffold/new-project.ts';
import type { RawAnswers } from '../../src/scaffold/answer.ts';

/** Makes a real project in a temporary folder that goes when the test ends, and gives its path. */
export async function makeProject(
  given: RawAnswers,
  { name = 'flights', type = 'batch-etl' } = {},
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hippo-project-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const directory = join(folder, name);
  await newProject({ type, name, directory, given, from: 'defaults', force: false, dryRun: false });
  return directory;
}

export const MONTHLY: RawAnswers = {
  table: 'nyc.flights',
  every: 'month',
  group_by: 'carrier',
  measure: 'dep_delay',
};

/** What else a person may answer. */
export const VARIANTS: Readonly<Record<string, RawAnswers>> = {
  event: { table: 'nyc.flights', every: 'event', partition: 'yyyymm,origin' },
  hour: { table: 'nyc.flights', every: 'hour', measure: 'amount' },
  day: { table: 'nyc.flights', partition: 'dt=%Y-%m-%d,region=us', group_by: 'amount,full name' },
  week: { table: 'nyc.flights', every: 'week' },
  part_of_day: { table: 'nyc.flights', every: '15m' },
  unpartitioned: { table: 'btd.party', partition: 'none' },
  table: { ...MONTHLY, input: 'table' },
  scala: { ...MONTHLY, language: 'scala' },
  scala_table: { ...MONTHLY, language: 'scala', input: 'table' },
};

/** The files of a project, by their paths in it, sorted. */
export async function filesOf(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
}
