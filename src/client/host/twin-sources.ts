import type { SourceConfig } from '../../config/schema.ts';
import type { WatchedSource } from './sources.ts';

/**
 * Sources that announce the same landings, in words: two that watch one place for one table. Each would publish an event.
 *
 * @param config `sources` of hippo.yaml
 */
export function describeTwins(
  watched: readonly WatchedSource[],
  config: Readonly<Record<string, SourceConfig>>,
): string[] {
  const groups = Map.groupBy(watched, ({ source: { name, db, table }, scanner }) => {
    const settings = config[name];
    const levels = settings !== undefined && 'levels' in settings ? settings.levels : '';
    // Hive and Spark ignore case in names of tables.
    return JSON.stringify([`${db}.${table}`.toLowerCase(), scanner.place, levels]);
  });
  return [...groups.values()].flatMap((twins) => {
    const [first] = twins;
    if (first === undefined || twins.length === 1) return [];
    const names = twins.map(({ source: { name } }) => name).join(' and ');
    const { source, scanner } = first;
    return [
      `the sources ${names} watch one place, ${scanner.place}, for ${source.db}.${source.table}: each landing gets ${twins.length} events`,
    ];
  });
}
