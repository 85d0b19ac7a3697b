/** The routes by which programs and people ask a model: paths for one row, POST for many. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Answers, type FieldProblem, answers, invalid } from '../http/app/index.ts';
import type { Classifier, Recommendations } from '../predict/index.ts';
import type { ModelSlot } from './engine.ts';
import { Batch, type Served, asClassifier, asRecommender } from './predictions.ts';

/** `2,3,4,1` in a path. */
const NUMBER = String.raw`-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?`;
const VALUES = {
  type: 'object',
  required: ['values'],
  properties: {
    values: {
      type: 'string',
      pattern: `^${NUMBER}(?:,${NUMBER})*$`,
      maxLength: 1_024,
      description: 'One number for each feature, in the order of the model, with commas between them',
      example: '2,3,4,1',
    },
  },
} as const;

const NAMED = {
  model: { type: 'string', description: 'The name of the model' },
  model_version: { type: 'string', description: 'The version that has answered' },
} as const;

function answer(properties: object, hasBody: boolean): Answers {
  const schema = {
    type: 'object',
    required: ['model', 'model_version', ...Object.keys(properties)],
    properties: { ...NAMED, ...properties },
  };
  return answers(schema, { hasBody });
}

const PROBABILITIES = {
  type: 'object',
  additionalProperties: { type: 'number' },
  description: 'A probability for each class',
} as const;
const RECOMMENDATIONS = {
  user: { type: 'string' },
  known: { type: 'boolean', description: 'Whether the model was trained with this user' },
  items: {
    type: 'array',
    description: 'Best first. An unknown user gets the popular items, with the score null',
    items: {
      type: 'object',
      required: ['item', 'score'],
      properties: { item: { type: 'string' }, score: { type: ['number', 'null'] } },
    },
  },
} as const;

/** @param slot whose model is asked */
export function addPredictions(app: FastifyInstance, slot: ModelSlot, served: Served): void {
  addClassification(app, slot, served);
  addRecommendation(app, slot, served);
}

function addClassification(app: FastifyInstance, slot: ModelSlot, served: Served): void {
  const tags = [slot.name];
  const { batch: most } = served.limits;
  app.get(
    '/features/:values/class',
    {
      schema: {
        tags,
        summary: 'The class of one row.',
        params: VALUES,
        response: answer({ class: { type: 'string' } }, false),
      },
    },
    (request, reply) =>
      answered(request, reply, { slot, served }, async (batch) => {
        const [found] = await batch.classes([rowInPath(request, asClassifier(batch.held.model))]);
        return { class: found?.label };
      }),
  );
  app.get(
    '/features/:values/probs',
    {
      schema: {
        tags,
        summary: 'The probability of each class for one row.',
        params: VALUES,
        response: answer({ probabilities: PROBABILITIES }, false),
      },
    },
    (request, reply) =>
      answered(request, reply, { slot, served }, async (batch) => {
        const model = asClassifier(batch.held.model);
        const [found] = await batch.probabilities([rowInPath(request, model)]);
        return { probabilities: byClass(model, found ?? []) };
      }),
  );
  const body = {
    type: 'object',
    additionalProperties: false,
    required: ['rows'],
    properties: {
      rows: {
        type: 'array',
        minItems: 1,
        maxItems: most,
        description:
          'Each row a list of numbers in the order of the features, or an object with a number for each feature',
        items: {
          anyOf: [
            { type: 'array', items: { type: 'number' } },
            { type: 'object', additionalProperties: { type: 'number' } },
          ],
        },
      },
    },
  } as const;
  app.post(
    '/class',
    {
      schema: {
        tags,
        summary: 'The classes of many rows.',
        body,
        response: answer({ predictions: { type: 'array', items: { type: 'string' } } }, true),
      },
    },
    (request, reply) =>
      answered(request, reply, { slot, served }, async (batch) => {
        const found = await batch.classes(rowsInBody(request, asClassifier(batch.held.model)));
        return { predictions: found.map(({ label }) => label) };
      }),
  );
  app.post(
    '/probs',
    {
      schema: {
        tags,
        summary: 'The probabilities of each class for many rows.',
        body,
        response: answer({ predictions: { type: 'array', items: PROBABILITIES } }, true),
      },
    },
    (request, reply) =>
      answered(request, reply, { slot, served }, async (batch) => {
        const model = asClassifier(batch.held.model);
        const found = await batch.probabilities(rowsInBody(request, model));
        return { predictions: found.map((one) => byClass(model, one)) };
      }),
  );
}

/** So many items does one answer have at most, over all its users. */
const MOST_ITEMS = 20_000;

function addRecommendation(app: FastifyInstance, slot: ModelSlot, served: Served): void {
  const tags = [slot.name];
  const { batch: most, top } = served.limits;
  const known = {
    type: 'boolean',
    default: false,
    description: 'Also the items that the user has rated',
  } as const;
  const count = { type: 'integer', minimum: 1, maximum: top } as const;
  app.get(
    '/users/:user/top/:count',
    {
      schema: {
        tags,
        summary: 'The best items for one user.',
        params: {
          type: 'object',
          required: ['user', 'count'],
          properties: { user: { type: 'string', minLength: 1, maxLength: 512, example: '1' }, count },
        },
        querystring: { type: 'object', additionalProperties: false, properties: { known } },
        response: answer(RECOMMENDATIONS, false),
      },
    },
    (request, reply) =>
      answered(request, reply, { slot, served }, async (batch) => {
        asRecommender(batch.held.model);
        const params = request.params as { user: string; count: number };
        const { known: withKnown } = request.query as { known: boolean };
        const [found] = await batch.top([params.user], params.count, withKnown);
        return { user: params.user, ...found };
      }),
  );
  app.post(
    '/top',
    {
      schema: {
        tags,
        summary: 'The best items for many users.',
        body: {
          type: 'object',
          additionalProperties: false,
          required: ['users'],
          properties: {
            users: {
              type: 'array',
              minItems: 1,
              maxItems: most,
              items: { type: ['string', 'integer'], maxLength: 512 },
            },
            count: { ...count, default: 10 },
            known,
          },
        },
        response: answer(
          {
            predictions: {
              type: 'array',
              items: { type: 'object', required: Object.keys(RECOMMENDATIONS), properties: RECOMMENDATIONS },
            },
          },
          true,
        ),
      },
    },
    (request, reply) =>
      answered(request, reply, { slot, served }, async (batch) => {
        asRecommender(batch.held.model);
        const { users, count: wanted, known: withKnown } = request.body as TopBody;
        if (users.length * wanted > MOST_ITEMS)
          throw invalid([
            { in: 'body', pointer: '/count', detail: `times the number of users must be <= ${MOST_ITEMS}` },
          ]);
        const names = users.map(String);
        const found: Recommendations[] = await batch.top(names, wanted, withKnown);
        return { predictions: found.map((one, index) => ({ user: names[index], ...one })) };
      }),
  );
}

interface TopBody {
  users: (string | number)[];
  count: number;
  known: boolean;
}

export interface Asked {
  slot: ModelSlot;
  served: Served;
}

/** Answers with one version from the beginning to the end, and names it. */
export async function answered(
  request: FastifyRequest,
  reply: FastifyReply,
  { slot, served }: Asked,
  work: (batch: Batch) => Promise<object>,
): Promise<object> {
  const held = slot.take();
  try {
    const { name, version } = held.model;
    void reply.header('hippo-model-version', version);
    const body = await work(new Batch(held, served, request.stop.signal));
    return { model: name, model_version: version, ...body };
  } finally {
    held.release();
  }
}

function byClass({ classes }: Classifier, probabilities: ArrayLike<number>): Record<string, number> {
  return Object.fromEntries(classes.map((label, index) => [label, probabilities[index] ?? 0]));
}

function rowInPath(request: FastifyRequest, { features }: Classifier): Float64Array {
  const { values } = request.params as { values: string };
  const row = Float64Array.from(values.split(','), Number);
  const problem = problemOfLength(row.length, features);
  if (problem !== null) throw invalid([{ in: 'path', pointer: '/values', detail: problem }]);
  // 1e999 is a number in JSON and in a path, and none that a model can count with.
  if (!row.every(Number.isFinite))
    throw invalid([{ in: 'path', pointer: '/values', detail: 'has a number that is too large' }]);
  return row;
}

function problemOfLength(length: number, features: readonly string[]): string | null {
  if (length === features.length) return null;
  return `must have ${features.length} numbers (${features.join(', ')}); it has ${length}`;
}

function rowsInBody(request: FastifyRequest, { features }: Classifier): ArrayLike<number>[] {
  const { rows } = request.body as { rows: (number[] | Record<string, number>)[] };
  const problems: FieldProblem[] = [];
  const read = rows.map((row, index) => {
    const pointer = `/rows/${index}`;
    if (!Array.isArray(row)) {
      problems.push(...problemsOfNames(row, features, pointer));
      return features.map((feature) => row[feature] ?? 0);
    }
    const detail = problemOfLength(row.length, features);
    if (detail !== null) problems.push({ in: 'body', pointer, detail });
    return row;
  });
  if (problems.length > 0) throw invalid(problems);
  return read;
}

function problemsOfNames(
  row: Record<string, number>,
  features: readonly string[],
  pointer: string,
): FieldProblem[] {
  const at = (name: string): string => `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  return [
    ...features
      .filter((feature) => !Object.hasOwn(row, feature))
      .map((feature) => ({ in: 'body' as const, pointer: at(feature), detail: 'is missing' })),
    ...Object.keys(row)
      .filter((name) => !features.includes(name))
      .map((name) => ({ in: 'body' as const, pointer: at(name), detail: 'is not a feature of the model' })),
  ];
}
