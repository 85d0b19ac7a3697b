import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import { type ConfigPath, formatPath } from './path.ts';

/** The environment variables that override hippo.yaml. $HIPPO_BROKERS is one more: `findBrokers` reads it. */
const OVERRIDES: readonly (readonly [variable: string, path: ConfigPath])[] = [
  ['HIPPO_TOPICS_PREFIX', ['topics', 'prefix']],
  ['HIPPO_YARN_RM', ['yarn', 'resource_managers']],
  ['HIPPO_TLS', ['kafka', 'tls']],
  ['HIPPO_TLS_CA_FILE', ['kafka', 'tls', 'ca_file']],
  ['HIPPO_TLS_CERT_FILE', ['kafka', 'tls', 'cert_file']],
  ['HIPPO_TLS_KEY_FILE', ['kafka', 'tls', 'key_file']],
  ['HIPPO_TLS_KEY_PASSPHRASE', ['kafka', 'tls', 'key_passphrase']],
  ['HIPPO_TLS_SERVER_NAME', ['kafka', 'tls', 'server_name']],
  ['HIPPO_SASL_MECHANISM', ['kafka', 'sasl', 'mechanism']],
  ['HIPPO_SASL_USERNAME', ['kafka', 'sasl', 'username']],
  ['HIPPO_SASL_PASSWORD', ['kafka', 'sasl', 'password']],
  ['HIPPO_SASL_PASSWORD_FILE', ['kafka', 'sasl', 'password_file']],
  ['HIPPO_SASL_TOKEN', ['kafka', 'sasl', 'token']],
  ['HIPPO_SASL_TOKEN_FILE', ['kafka', 'sasl', 'token_file']],
];

export interface Overridden {
  tree: JsonObject;
  /** The variable that set a value, by {@link formatPath}. */
  variables: Map<string, string>;
}

/** Merges the variables of the environment over the configuration; an empty variable counts as unset. */
export function override(tree: JsonObject, env: NodeJS.ProcessEnv): Overridden {
  const variables = new Map<string, string>();
  let result = tree;
  for (const [variable, path] of OVERRIDES) {
    const value = env[variable] ?? '';
    if (value === '') continue;
    result = setIn(result, path, value);
    variables.set(formatPath(path), variable);
  }
  return { tree: result, variables };
}

/** Pairs of keys that set the same thing: an overlay that uses one of them replaces the other. */
const INSTEAD_OF: Readonly<Record<string, string>> = {
  password: 'password_file',
  password_file: 'password',
  token: 'token_file',
  token_file: 'token',
};

/** Merges mappings; for everything else the overlay replaces the base. */
export function merge(base: JsonObject, overlay: JsonObject): JsonObject {
  const replaced = new Set(Object.keys(overlay).map((key) => INSTEAD_OF[key]));
  const merged = Object.entries(overlay).map(([key, value]): [string, Json] => {
    const below = base[key];
    return [key, isJsonObject(below) && isJsonObject(value) ? merge(below, value) : value];
  });
  const kept = Object.entries(base).filter(([key]) => !replaced.has(key));
  return Object.fromEntries([...kept, ...merged]);
}

function setIn(tree: JsonObject, path: ConfigPath, value: Json): JsonObject {
  return merge(tree, path.reduceRight<Json>((inner, part) => ({ [part]: inner }), value) as JsonObject);
}
