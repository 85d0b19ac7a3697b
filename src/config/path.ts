/** The path of a value in hippo.yaml: `['jobs', 'load', 'needs', 0]`. */
export type ConfigPath = readonly (string | number)[];

/** `jobs.load.needs[0].table`; a key that is not a plain word is quoted. */
export function formatPath(path: ConfigPath): string {
  return path
    .map((part, index) => {
      if (typeof part === 'number') return `[${part}]`;
      if (!/^[\w-]+$/.test(part)) return `[${JSON.stringify(part)}]`;
      return index === 0 ? part : `.${part}`;
    })
    .join('');
}
