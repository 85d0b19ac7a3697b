/** The sources of a hippo.yaml, ready to be scanned. */
import { resolve } from 'node:path';
import type { LoadedConfig } from '../../config/load.ts';
import type { SourceConfig } from '../../config/schema.ts';
import type { Millis } from '../../core/clock.ts';
import { FolderScanner, type Levels, type Scanner, parseLevels } from '../../sources/index.ts';
import type { CompileProblem, SourceDefinition } from '../machine/index.ts';

/** A source, and how it is scanned. */
export interface WatchedSource {
  readonly source: SourceDefinition;
  readonly scanner: Scanner;
  /** The pause between two scans, milliseconds. */
  readonly every: Millis;
}

/** How long files must not have changed where no marker says that they are complete, milliseconds. */
const SETTLE = 60_000;

/** Checks what the schema cannot. A problem is added to the list, and its source is left out. */
export function compileSources(
  { config, directory }: Pick<LoadedConfig, 'config' | 'directory'>,
  problems: CompileProblem[],
): WatchedSource[] {
  return Object.entries(config.sources).flatMap(([name, source]): WatchedSource[] => {
    const path = ['sources', name];
    if (Object.hasOwn(config.jobs, name)) {
      problems.push({
        path,
        message: `a job has the same name`,
        allowed: 'a name that no job has',
      });
      return [];
    }
    const levels = parseLevels(source.levels);
    if (!levels.ok) {
      const { message, allowed } = levels;
      problems.push({ path: [...path, 'levels'], message, allowed });
      return [];
    }
    return [
      {
        source: definitionOf(name, source, config.trigger),
        scanner: scannerOf(source, levels.levels, directory),
        every: source.every,
      },
    ];
  });
}

function definitionOf(
  name: string,
  { table, method, dialect, start_from, settle, complete }: SourceConfig,
  defaults: LoadedConfig['config']['trigger'],
): SourceDefinition {
  const dot = table.indexOf('.');
  return {
    name,
    db: table.slice(0, dot),
    table: table.slice(dot + 1),
    method: method ?? defaults.method,
    dialect: dialect ?? defaults.dialect,
    startFrom: start_from,
    settle: settle ?? (complete === undefined ? SETTLE : 0),
  };
}

function scannerOf({ folder, complete, mounted }: SourceConfig, levels: Levels, directory: string): Scanner {
  return new FolderScanner({
    folder: resolve(directory, folder),
    levels,
    marker: complete ?? null,
    isMount: mounted,
  });
}
