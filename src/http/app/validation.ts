/** How the input of a route is checked: a strict Ajv that changes no body. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { FastifySchemaCompiler } from 'fastify';

type Schema = Record<string, unknown>;

/**
 * Bodies are taken as they are. The parts of a path and a query are text; where the schema says integer, number or boolean,
 * text that is exactly such a value is read as one, and all other text is refused by the schema.
 */
export function schemaCompiler(): FastifySchemaCompiler<Schema> {
  const ajv = new Ajv2020({
    strict: true,
    // Both forms of one value, such as a row as a list or an object, need types in each branch.
    strictTypes: false,
    strictRequired: false,
    allowUnionTypes: true,
    allErrors: true,
    useDefaults: true,
    coerceTypes: false,
    removeAdditional: false,
  });
  // Words of OpenAPI that check nothing.
  for (const word of ['example', 'discriminator', 'xml', 'externalDocs']) ajv.addKeyword(word);
  (formats as unknown as typeof formats.default)(ajv);
  return ({ schema, httpPart }) => {
    const check = ajv.compile(schema);
    if (httpPart !== 'params' && httpPart !== 'querystring') return verdictOf(check);
    const types = typesOf(schema);
    return verdictOf(check, (input) => readTexts(input, types));
  };
}

/** As Fastify wants it: what is wrong, or the value as it was read. */
function verdictOf(check: ValidateFunction, read = (input: unknown): unknown => input) {
  return (input: unknown) => {
    const value = read(input);
    return check(value) ? { value } : { error: new ValidationError(check.errors ?? []) };
  };
}

/** Fastify recognises the list of errors by its property `validation`. */
class ValidationError extends Error {
  readonly validation: NonNullable<ValidateFunction['errors']>;
  statusCode = 400;

  constructor(errors: NonNullable<ValidateFunction['errors']>) {
    super('the request is not valid');
    this.validation = errors;
  }
}

function typesOf(schema: Schema): ReadonlyMap<string, unknown> {
  const properties = (schema['properties'] ?? {}) as Record<string, Schema>;
  return new Map(Object.entries(properties).map(([name, { type }]) => [name, type]));
}

function readTexts(input: unknown, types: ReadonlyMap<string, unknown>): unknown {
  const read = Object.entries(input as Record<string, unknown>).map(([name, value]) => [
    name,
    typeof value === 'string' ? readText(value, types.get(name)) : value,
  ]);
  return Object.fromEntries(read) as unknown;
}

function readText(text: string, type: unknown): unknown {
  if (type === 'integer' && /^(0|-?[1-9]\d{0,14})$/.test(text)) return Number(text);
  if (type === 'number' && /^-?\d{1,17}(\.\d{1,17})?([eE][+-]?\d{1,3})?$/.test(text)) return Number(text);
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}
