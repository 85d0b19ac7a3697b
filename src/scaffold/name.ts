import { NAME_FORM, NAME_PATTERN } from '../config/schema.ts';

/** Device names of Windows, where a folder cannot have these names. */
const DEVICES = /^(con|prn|aux|nul|com\d|lpt\d)(\..*)?$/i;

/**
 * Why a hippo cannot have this name, or undefined if it can. The name becomes a folder, a consumer group
 * (`hippo.<name>`), a transactional id and `hippo_name` in every message.
 *
 * @param types the types of project: `hippo new batch-etl batch-etl` is probably a mistake
 */
export function nameProblem(name: string, types: readonly string[]): string | undefined {
  if (!NAME_PATTERN.test(name)) return `a name has ${NAME_FORM}`;
  if (name.endsWith('.')) return 'a name does not end with a dot';
  if (types.includes(name)) return `${name} is a type of hippo; name this one after what it does`;
  if (name === 'hippo' || name === 'node_modules') return `${name} means something else already`;
  if (DEVICES.test(name)) return 'Windows has a device of that name';
  if (/\.(ya?ml|json|sh|ts|js|py)$/i.test(name)) return 'it looks like the name of a file';
  return undefined;
}
