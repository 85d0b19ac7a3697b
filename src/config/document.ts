import {
  type Document,
  LineCounter,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Scalar,
  parseDocument,
  visit,
} from 'yaml';
import { type ErrorPlace, UserError, messageOf } from '../core/errors.ts';
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import { type ConfigPath, formatPath } from './path.ts';
import { checkCommand, problemsError } from './problems.ts';
import { fileSchema } from './schema.ts';
import { emptyMembers, withTexts } from './texts.ts';

/** A hippo.yaml as written: its values and the place of each. */
export interface ConfigDocument {
  /** The path as errors print it. */
  readonly file: string;
  readonly tree: JsonObject;
  /** Whether the file itself has a value there. */
  has(path: ConfigPath): boolean;
  /** The place of a scalar, or of the key of a mapping or list; of the nearest existing one if there is no such value. */
  place(path: ConfigPath): ErrorPlace;
  placeOfKey(path: ConfigPath): ErrorPlace;
}

/**
 * Reads YAML 1.2 with anchors and merge keys. An empty value counts as left out, but for the members of mappings whose keys are names:
 * an empty job would be forgotten.
 *
 * @param file the path as errors print it
 * @throws UserError that lists every syntax error with its line and column
 */
export function readDocument(text: string, file: string): ConfigDocument {
  const lines = new LineCounter();
  // prettyErrors would quote the line, which may hold a password.
  const document = parseDocument(text, {
    ...{ lineCounter: lines, prettyErrors: false, merge: true },
    uniqueKeys: (left, right) => isScalar(left) && isScalar(right) && textOf(left) === textOf(right),
  });
  takeKeysAsWritten(document);
  const at = (offset: number, key?: string): ErrorPlace => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col, ...(key === undefined ? {} : { key }) };
  };
  const problems = [
    ...document.errors.map(({ message, pos }) => ({
      place: at(pos[0]),
      message: `is not YAML: ${bare(message)}`,
    })),
    ...wrongAliases(document).map(({ offset, message }) => ({
      place: at(offset),
      message: `is not YAML: ${message}`,
    })),
  ];
  if (problems.length > 0) throw problemsError(file, problems);
  const placeIn = (path: ConfigPath, atKey: boolean): ErrorPlace => {
    const key = formatPath(path);
    const trail = follow(document, path);
    const found = trail.at(-1);
    if (found === undefined) return { file, line: 1, column: 1, ...(key === '' ? {} : { key }) };
    const exact = trail.length === path.length;
    return at(exact && !atKey && isScalar(found.value) ? found.valueOffset : found.keyOffset, key);
  };
  const whole = treeOf(document, file);
  const nameless = emptyMembers(fileSchema, whole);
  if (nameless.length > 0) {
    throw problemsError(
      file,
      nameless.map((path) => ({
        place: placeIn(path, true),
        message: 'is empty; write its value, or remove it',
      })),
    );
  }
  return {
    file,
    tree: treeWithTexts(document, file),
    has: (path) => {
      const trail = follow(document, path);
      return trail.length === path.length && !isNull(trail.at(-1)?.value);
    },
    place: (path) => placeIn(path, false),
    placeOfKey: (path) => placeIn(path, true),
  };
}

interface Found {
  value: Node | null;
  keyOffset: number;
  valueOffset: number;
}

/** The nodes along a path, as far as it exists. */
function follow(document: Document, path: ConfigPath): Found[] {
  const trail: Found[] = [];
  let node = document.contents;
  for (const part of path) {
    const found = child(document, node, part);
    if (found === undefined) break;
    trail.push(found);
    node = found.value;
  }
  return trail;
}

function child(document: Document, parent: Node | null, part: string | number): Found | undefined {
  const node = isAlias(parent) ? parent.resolve(document) : parent;
  if (isMap(node)) {
    const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(part));
    if (!isPair(pair)) return undefined;
    const keyOffset = (pair.key as Node).range?.[0] ?? 0;
    const value = pair.value as Node | null;
    return { value, keyOffset, valueOffset: value?.range?.[0] ?? keyOffset };
  }
  if (isSeq(node) && typeof part === 'number') {
    const value = node.items[part] as Node | undefined;
    const offset = value?.range?.[0];
    return value === undefined || offset === undefined
      ? undefined
      : { value, keyOffset: offset, valueOffset: offset };
  }
  return undefined;
}

/** The values, with the file's own text wherever the schema wants text. */
function treeWithTexts(document: Document, file: string): JsonObject {
  const tree = withoutNulls(treeOf(document, file));
  takeValuesAsWritten(document);
  return withTexts(fileSchema, tree, withoutNulls(treeOf(document, file))) as JsonObject;
}

/** Keys are text: `007` stays `007`, although YAML reads it as a number. */
function takeKeysAsWritten(document: Document): void {
  visit(document, {
    Pair: (_, { key }) => {
      if (isScalar(key) && key.source !== undefined && isTyped(key)) key.value = key.source;
    },
    // JSON has no dates, so those of YAML 1.1 stay text.
    Scalar: (_, scalar) => {
      if (typeof scalar.value === 'object' && scalar.value !== null) scalar.value = textOf(scalar);
    },
  });
}

function takeValuesAsWritten(document: Document): void {
  visit(document, {
    Scalar: (_, scalar) => {
      if (scalar.value !== null && isTyped(scalar)) scalar.value = textOf(scalar);
    },
  });
}

/** Whether YAML has read a plain scalar as something else than text; a tag (`!!int 05`) asks for that. */
function isTyped({ type, tag, value }: Scalar): boolean {
  return type === 'PLAIN' && tag === undefined && typeof value !== 'string' && typeof value !== 'symbol';
}

function textOf({ source, value }: Scalar): string {
  return source ?? String(value);
}

function treeOf(document: Document, file: string): JsonObject {
  let value: Json;
  try {
    // Limits how large a few nested aliases can grow.
    value = document.toJS({ maxAliasCount: 100 }) as Json;
  } catch (error) {
    throw new UserError(`${file} cannot be read: ${bare(messageOf(error))}`, { place: { file } });
  }
  if (value === null) return {};
  if (!isJsonObject(value)) {
    throw new UserError(`${file} must be a mapping of keys to values`, {
      next: [checkCommand(file)],
      place: { file, line: 1, column: 1 },
    });
  }
  return value;
}

function withoutNulls(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null)
      .map(([key, member]) => [key, withoutNulls(member)]),
  );
}

function isNull(node: Node | null | undefined): boolean {
  return node === null || node === undefined || (isScalar(node) && node.value === null);
}

/** The aliases without an anchor, and those that refer to a node around them. */
function wrongAliases(document: Document): { offset: number; message: string }[] {
  const found: { offset: number; message: string }[] = [];
  visit(document, {
    Alias: (_, alias, parents) => {
      const meant = alias.resolve(document);
      const offset = alias.range?.[0] ?? 0;
      if (meant === undefined) {
        const message = 'what begins with "*" names an anchor (&name), and there is none; quote a text';
        found.push({ offset, message });
      } else if (parents.includes(meant)) {
        found.push({ offset, message: 'an alias (*name) cannot stand inside of its own anchor (&name)' });
      }
    },
  });
  return found;
}

/** A message of the parser without its quotes from the file, which may contain a password. */
function bare(message: string): string {
  return message.split(/:|\n/, 1)[0] ?? message;
}
