import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import { type ConfigPath, formatPath } from './path.ts';

/** A text of hippo.yaml that names environment variables. */
export interface Interpolation {
  path: ConfigPath;
  /** As written in the file. */
  written: string;
  variables: string[];
}

export interface Interpolated {
  tree: JsonObject;
  /** By {@link formatPath}. */
  interpolations: Map<string, Interpolation>;
  problems: { path: ConfigPath; message: string }[];
}

/** `${NAME}` or `${NAME:-fallback}` */
interface Reference {
  name: string;
  fallback: string | undefined;
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
    const variables: string[] = [];
    const result = fillIn(text, (reference) => {
      if (reference === undefined) {
        problems.push({
          path,
          message: 'must name a variable as ${NAME} or ${NAME:-default}; "$${" stands for "${"',
        });
        return '';
      }
      const { name } = reference;
      variables.push(name);
      const value = valueOf(reference, env);
      if (value === undefined) {
        problems.push({ path, message: `needs the environment variable ${name}, which is not set` });
      }
      return value ?? '';
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

/** The text with a replacement for the variables for which `isSecret` is true, and for their defaults. */
export function interpolateMasked(
  text: string,
  env: NodeJS.ProcessEnv,
  isSecret: (variable: string) => boolean,
  mask: string,
): string {
  return fillIn(text, (reference) =>
    reference === undefined || isSecret(reference.name) ? mask : (valueOf(reference, env) ?? ''),
  );
}

/** @param value of a reference; undefined for a malformed one */
function fillIn(text: string, value: (reference: Reference | undefined) => string): string {
  return text.replace(TOKEN, (token, inside: string | undefined) => {
    if (token === '$${') return '${';
    const [, name, fallback] = REFERENCE.exec(inside ?? '') ?? [];
    return value(name === undefined ? undefined : { name, fallback });
  });
}

function valueOf({ name, fallback }: Reference, env: NodeJS.ProcessEnv): string | undefined {
  const value = env[name];
  return fallback !== undefined && (value === undefined || value === '') ? fallback : value;
}
