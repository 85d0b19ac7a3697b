/** What no message, log or error may show: the secrets of hippo.yaml, and what looks like one. */
import { isJsonObject } from '../core/json.ts';
import { looksSecret, maskInside, MASK } from '../config/secret-words.ts';
import type { Config } from '../config/schema.ts';

/** A shorter text is no secret, and would be found in other words. */
const SHORTEST = 4;

/** A part of a URL that is so long is no word that texts have. */
const LONG = 16;

/** A function that masks the secrets of a configuration in a text. */
export function secretMask(config: Config): (text: string) => string {
  const secrets = [...new Set(secretsIn(config, false))]
    .filter((secret) => secret.length >= SHORTEST)
    // A longer one may contain a shorter one.
    .sort((left, right) => right.length - left.length);
  return (text) => maskInside(secrets.reduce((masked, secret) => masked.replaceAll(secret, MASK), text));
}

/** Keys of settings that are secrets as a whole, whatever they are called. */
const SECRET_KEYS = new Set(['headers']);

function secretsIn(value: unknown, isSecret: boolean): string[] {
  if (typeof value === 'string')
    return isSecret ? [...wordsOf(value), ...partsOf(value), ...passwordOf(value)] : passwordOf(value);
  if (Array.isArray(value)) return value.flatMap((item) => secretsIn(item, isSecret));
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, member]) =>
    secretsIn(member, isSecret || SECRET_KEYS.has(key) || looksSecret(key) || isSecretUrl(key, member)),
  );
}

/** URLs with a path are secrets of webhooks; the address of a service is not. */
function isSecretUrl(key: string, value: unknown): boolean {
  return key === 'url' && typeof value === 'string' && /^https?:\/\/[^/]+\/./.test(value);
}

/** Of a URL: its path with the query, and a part of it that is too long to be a word. */
function partsOf(text: string): string[] {
  const url = /^https?:/.test(text) ? URL.parse(text) : null;
  if (url === null) return [];
  const path = `${url.pathname}${url.search}`;
  return [path, ...path.split(/[/?&=]/).filter((part) => part.length >= LONG)];
}

/** `Bearer x` and `x`: a receiver may say the one or the other. */
function wordsOf(secret: string): string[] {
  return [secret, ...secret.split(' ').slice(1)];
}

/** The password of a URL, as written and as it is. */
function passwordOf(text: string): string[] {
  const password = /^[a-z]+s?:\/\//.test(text) ? (URL.parse(text)?.password ?? '') : '';
  if (password === '') return [];
  try {
    return [password, decodeURIComponent(password)];
  } catch {
    return [password];
  }
}
