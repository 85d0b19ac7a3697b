/** The SQL of a route, taken apart by DuckDB's own parser: what it reads, and how its rows are ordered. Pure. */
import { type Json, type JsonObject, isJsonObject, numberOf } from '../core/json.ts';

/** What is wrong with the SQL of a route, and where in it. */
export class SqlProblem extends Error {
  /** Characters from the beginning of the SQL; null: not known. */
  readonly offset: number | null;

  constructor(message: string, offset: number | null = null) {
    super(message);
    this.offset = offset;
  }
}

/** A column by which rows are ordered: of the answer, by its name or its number (from 1). */
export interface OrderColumn {
  column: string | number;
  offset: number | null;
  isDescending: boolean;
  nullsFirst: boolean;
}

export interface SqlShape {
  /** `db.table`, each once. */
  tables: readonly string[];
  parameters: readonly string[];
  /** Empty: the rows have no order. */
  order: readonly OrderColumn[];
  /** The statement as DuckDB's parser has it, for `json_deserialize_sql`: without ORDER BY, where that only orders the rows. */
  unordered: string;
}

export interface SqlRules {
  /** The tables that there are, by `db.table`. */
  tables: ReadonlySet<string>;
  parameters: ReadonlySet<string>;
  /** Functions whose result depends on more than their arguments. */
  unstable: ReadonlySet<string>;
}

/** Functions in FROM that make rows of their arguments only. All others read files, settings or the catalog. */
const ROW_MAKERS = new Set(['range', 'generate_series', 'unnest']);

/** Functions that tell of the service, or do something. DuckDB says of some of them that they are stable. */
const INSIDE = new Set([
  'current_setting',
  'getvariable',
  'getenv',
  'query',
  'query_table',
  'json_execute_serialized_sql',
  'json_serialize_plan',
  'write_log',
  'sleep_ms',
  'version',
  'pg_typeof',
]);

/** SQL writes these functions like columns. */
const TIME_WORDS = new Set([
  'current_date',
  'current_time',
  'current_timestamp',
  'localtime',
  'localtimestamp',
  'current_user',
  'current_role',
  'session_user',
  'user',
  'current_catalog',
  'current_schema',
]);

/**
 * @param serialised what `json_serialize_sql` returns for the SQL
 * @throws SqlProblem for anything but one SELECT over known tables and parameters
 */
export function shapeOf(serialised: JsonObject, rules: SqlRules): SqlShape {
  if (serialised['error'] === true) throw parseProblem(serialised);
  const statements = listIn(serialised, 'statements');
  const [statement] = statements;
  if (statements.length !== 1 || !isJsonObject(statement))
    throw new SqlProblem(`must be one SELECT; it has ${statements.length} statements`);
  const found = new Found(rules);
  found.look(statement, new Set());
  const { node } = statement;
  if (!isJsonObject(node)) throw new SqlProblem('must be one SELECT');
  return {
    tables: [...found.tables],
    parameters: [...found.parameters],
    order: orderOf(node),
    unordered: JSON.stringify({ error: false, statements: [withoutOrder(statement, node)] }),
  };
}

function parseProblem(serialised: JsonObject): SqlProblem {
  if (serialised['error_type'] === 'not implemented') {
    const text = textIn(serialised, 'error_message');
    return new SqlProblem(
      /Only SELECT/.test(text)
        ? 'must be one SELECT; other statements are refused'
        : `cannot be used: ${text}`,
    );
  }
  const position = Number(textIn(serialised, 'position'));
  return new SqlProblem(
    `is not SQL of DuckDB: ${textIn(serialised, 'error_message')}`,
    Number.isInteger(position) ? position : null,
  );
}

/** Goes through the whole statement, subqueries too. */
class Found {
  readonly tables = new Set<string>();
  readonly parameters = new Set<string>();
  readonly #rules: SqlRules;

  constructor(rules: SqlRules) {
    this.#rules = rules;
  }

  /** @param names of WITH, which hide tables without a schema */
  look(value: Json, names: ReadonlySet<string>): void {
    if (Array.isArray(value)) {
      for (const one of value) this.look(one, names);
      return;
    }
    if (!isJsonObject(value)) return;
    const known = withNamesOf(value, names);
    this.#judge(value, known);
    for (const child of Object.values(value)) this.look(child, known);
  }

  #judge(node: JsonObject, names: ReadonlySet<string>): void {
    if (isJsonObject(node['sample']))
      throw new SqlProblem('must not take a sample: two requests would differ', offsetOf(node));
    switch (node['type']) {
      case 'BASE_TABLE':
        this.#table(node, names);
        break;
      case 'TABLE_FUNCTION':
        this.#tableFunction(node);
        break;
      case 'SHOW_REF':
        throw new SqlProblem('must be one SELECT; SHOW, DESCRIBE and SUMMARIZE are refused', offsetOf(node));
      case 'FUNCTION':
      case 'WINDOW':
        this.#function(node);
        break;
      case 'COLUMN_REF':
        columnWord(node);
        break;
      case 'VALUE_PARAMETER':
        this.#parameter(node);
        break;
      default:
    }
  }

  #table(node: JsonObject, names: ReadonlySet<string>): void {
    const [catalog, schema, table] = ['catalog_name', 'schema_name', 'table_name'].map((key) =>
      textIn(node, key),
    );
    if (schema === '' && names.has((table ?? '').toLowerCase())) return;
    const name = [catalog, schema, table].filter((part) => part !== '').join('.');
    if (!this.#rules.tables.has(name))
      throw new SqlProblem(`reads ${name}, which is not in queries.tables`, offsetOf(node));
    this.tables.add(name);
  }

  #tableFunction(node: JsonObject): void {
    const call = node['function'];
    const name = isJsonObject(call) ? textIn(call, 'function_name').toLowerCase() : '';
    if (!ROW_MAKERS.has(name))
      throw new SqlProblem(
        `calls ${name || 'a function'} in FROM; only tables of queries.tables are read`,
        offsetOf(node),
      );
  }

  #function(node: JsonObject): void {
    const name = textIn(node, 'function_name').toLowerCase();
    if (INSIDE.has(name)) throw new SqlProblem(`calls ${name}, which is refused`, offsetOf(node));
    if (this.#rules.unstable.has(name))
      throw new SqlProblem(
        `calls ${name}, whose result is another one each time: pages and ETags need the same rows`,
        offsetOf(node),
      );
  }

  #parameter(node: JsonObject): void {
    const name = textIn(node, 'identifier');
    if (!/^[a-z_]/.test(name)) throw new SqlProblem('must name its parameters: $name, not ? or $1');
    if (!this.#rules.parameters.has(name)) throw new SqlProblem(`uses $${name}, which is not in parameters`);
    this.parameters.add(name);
  }
}

function columnWord(node: JsonObject): void {
  const [name, ...more] = listIn(node, 'column_names');
  if (more.length === 0 && typeof name === 'string' && TIME_WORDS.has(name.toLowerCase()))
    throw new SqlProblem(
      `uses ${name}, whose value is another one each time: pages and ETags need the same rows`,
      offsetOf(node),
    );
}

function withNamesOf(node: JsonObject, names: ReadonlySet<string>): ReadonlySet<string> {
  const { cte_map: map } = node;
  const entries = isJsonObject(map) ? listIn(map, 'map') : [];
  if (entries.length === 0) return names;
  return new Set([
    ...names,
    ...entries.map((entry) => (isJsonObject(entry) ? textIn(entry, 'key').toLowerCase() : '')),
  ]);
}

function orderOf(node: JsonObject): OrderColumn[] {
  const modifier = listIn(node, 'modifiers').find(isOrder);
  if (modifier === undefined) return [];
  return listIn(modifier, 'orders').map((order) => {
    if (!isJsonObject(order) || !isJsonObject(order['expression']))
      throw new SqlProblem('has an ORDER BY that cannot be read');
    const { expression } = order;
    return {
      column: columnOf(expression),
      offset: offsetOf(expression),
      isDescending: order['type'] === 'DESCENDING',
      nullsFirst: order['null_order'] === 'NULLS FIRST',
    };
  });
}

function columnOf(expression: JsonObject): string | number {
  const names = listIn(expression, 'column_names');
  const [name] = names;
  if (expression['class'] === 'COLUMN_REF' && names.length === 1 && typeof name === 'string') return name;
  const { value } = expression;
  const position = isJsonObject(value) ? numberOf(value['value']) : undefined;
  if (expression['class'] === 'CONSTANT' && position !== undefined) return position;
  throw new SqlProblem(
    'must order by columns of the answer, by name or number: give an expression a name with AS, and order by that',
    offsetOf(expression),
  );
}

/** LIMIT and DISTINCT ON need the order to choose rows. */
function withoutOrder(statement: JsonObject, node: JsonObject): JsonObject {
  const modifiers = listIn(node, 'modifiers');
  if (modifiers.length !== 1 || !isOrder(modifiers[0] ?? null)) return statement;
  return { ...statement, node: { ...node, modifiers: [] } };
}

function isOrder(modifier: Json): modifier is JsonObject {
  return isJsonObject(modifier) && modifier['type'] === 'ORDER_MODIFIER';
}

function offsetOf(node: JsonObject): number | null {
  const offset = numberOf(node['query_location']);
  // DuckDB's word for "not known" is the largest 64-bit number.
  return offset === undefined || offset > 2 ** 53 ? null : offset;
}

function listIn(node: JsonObject, key: string): Json[] {
  const value = node[key];
  return Array.isArray(value) ? value : [];
}

function textIn(node: JsonObject, key: string): string {
  const value = node[key];
  return typeof value === 'string' ? value : '';
}
