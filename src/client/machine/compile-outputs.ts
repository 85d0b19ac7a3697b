import type { OutputConfig } from '../../config/schema.ts';
import { partitionProblem } from '../../messages/index.ts';
import type { FrontierDialect } from '../../messages/types.ts';
import { type TemplateProblem, compileOutput } from '../../windows/index.ts';
import type { OutputDefinition } from './definition.ts';

/** A problem and where it stands below `produces`. */
export interface OutputProblem extends TemplateProblem {
  path: (string | number)[];
}

interface OutputContext {
  /** Whether its job has windows. */
  windowed: boolean;
  /** Of events of outputs that do not say them. */
  defaults: { method: string; dialect: FrontierDialect };
}

/** What can be said before a run: templates, names of levels, what the dialect can express. */
export function compileOutputs(
  configs: readonly OutputConfig[],
  { windowed, defaults }: OutputContext,
): { outputs: OutputDefinition[]; problems: OutputProblem[] } {
  const problems: OutputProblem[] = [];
  const seen = new Map<string, number>();
  const outputs = configs.map((config, index): OutputDefinition => {
    const levels = Object.entries(config.partition ?? {}).flatMap(([name, source]) => {
      const value = compileOutput(source, { windowed });
      if (value.ok) return [{ name, value: value.value }];
      const { message, allowed } = value;
      problems.push({
        path: [index, 'partition', name],
        message,
        ...(allowed === undefined ? {} : { allowed }),
      });
      return [];
    });
    const [db = '', ...rest] = config.table.split('.');
    const output: OutputDefinition = {
      db,
      table: rest.join('.'),
      levels,
      method: config.method ?? defaults.method,
      dialect: config.dialect ?? defaults.dialect,
      needsResult: levels.some(({ value }) => value.needsResult),
    };
    const shape = levels.map(({ name }) => ({ name, value: 'x' }));
    const problem = partitionProblem(shape, output.dialect);
    if (problem !== undefined)
      problems.push({ path: [index, 'partition'], message: `no event can carry it: ${problem}` });
    const same = JSON.stringify([config.table.toLowerCase(), config.partition ?? {}]);
    const before = seen.get(same);
    if (before !== undefined)
      problems.push({ path: [index], message: `it is the same as produces[${before}]` });
    seen.set(same, index);
    return output;
  });
  return { outputs, problems };
}
