import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import { type ConfigPath, formatPath } from './path.ts';

/** A text of hippo.yaml that names environment variables. */
export interface Interpolation {
  path: ConfigPath;
  /** As it stands in the file. */
  written: string;
  variables: string[];
}

export interface Interpolated {
  tree: JsonObject;
  /** By {@link formatPath}. */
  interpolations: Map<string, Interpolation>;
  problems: { path: ConfigPath; message: string }[];
}

const TOKEN = /\$\$\{|\$\{([^}]*)\}|\$\{/g;
const REFERENCE = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;

/**
 * Puts environment variables into texts: `${NAME}`, `${NAME:-default}` (where NAME is unset or empty); `$${` stands for `${`.
 * A problem names the variable, never a value.
 */
export function interpolate(tree: JsonObject, env: NodeJS.ProcessEnv): Interpolated {
  const interpolations = new Map<string, Interpolation>();
  const problems: Interpolated['problems'] = [];

  const inText = (text: string, path: ConfigPath): string => {
    if (!text.includes('${')) return text;
    const variables: string[] = [];
    const result = text.replace(TOKEN, (token, inside: string | undefined) => {
      if (token === '$${') return '${';
      const reference = inside === undefined ? null : REFERENCE.exec(inside);
      const name = reference?.[1];
      if (name === undefined) {
        problems.push({
          path,
          message: 'must name a variable as ${NAME} or ${NAME:-default}; "$${" stands for "${"',
        });
        return '';
      }
      variables.push(name);
      const fallback = reference?.[2];
      const value = fallback !== undefined && env[name] === '' ? undefined : env[name];
      if (value === undefined && fallback === undefined) {
        problems.push({ path, message: `needs the environment variable ${name}, which is not set` });
      }
      return value ?? fallback ?? '';
    });
    if (variables.length > 0) interpolations.set(formatPath(path), { path, written: text, variables });
    return result;
  };

  const inValue = (value: Json, path: ConfigPath): Json => {
    if (typeof value === 'string') return inText(value, path);
    if (Array.isArray(value)) return value.map((item, index) => inValue(item, [...path, index]));
    return isJsonObject(value) ? inObject(value, path) : value;
  };
  const inObject = (object: JsonObject, path: ConfigPath): JsonObject =>
    Object.fromEntries(Object.entries(object).map(([key, value]) => [key, inValue(value, [...path, key])]));

  return { tree: inObject(tree, []), interpolations, problems };
}
