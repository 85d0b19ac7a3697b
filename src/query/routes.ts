/** The routes of a query service, on the HTTP application of the toolkit. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Answers, answers, isLoopback, problemsOf } from '../http/app/index.ts';
import { HttpProblem } from '../http/index.ts';
import { FORMATS, formatFor } from './accept.ts';
import { type AnswerParts, answerQuery, contentTypeOf, readRequest } from './answer.ts';
import type { Route } from './compile.ts';
import { QueryFailure } from './engine.ts';
import { parameterSchema } from './parameters.ts';

export interface QueryRoutes extends AnswerParts {
  routes: readonly Route[];
  /** What has landed is told; resolves when it has been looked at. */
  reload: (body: unknown) => Promise<void>;
}

export function addQueryRoutes(app: FastifyInstance, parts: QueryRoutes): void {
  for (const route of parts.routes) addRoute(app, parts, route);
  app.get(
    '/freshness',
    {
      schema: {
        tags: ['data'],
        summary: 'Up to which partition each table goes, and since when.',
        response: answers(FRESHNESS, { description: 'Each table' }),
      },
    },
    () => ({ tables: parts.data.freshness() }),
  );
  app.post(
    '/reload',
    { config: { isOpen: true, isAlwaysAnswered: true, rateLimit: false }, schema: { hide: true } },
    async (request, reply) => {
      // The client of this hippo tells it, on this machine; what came through a proxy did not come from the client.
      if (!isLoopback(request.ip) || request.headers['x-forwarded-for'] !== undefined)
        throw new HttpProblem(403, 'only the client of this hippo may tell what has landed');
      await parts.reload(request.body);
      return reply.code(204).send();
    },
  );
}

const FRESHNESS = {
  type: 'object',
  properties: {
    tables: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          table: { type: 'string' },
          partitions: { type: 'integer' },
          up_to: { type: ['string', 'null'], description: 'The newest partition' },
          since: {
            type: ['string', 'null'],
            format: 'date-time',
            description: 'When it landed, by its event; null: before the first start of this service',
          },
          data_version: { type: ['string', 'null'] },
          awaited: {
            type: 'array',
            description: 'What has landed but is not shown yet',
            items: { type: 'object', properties: { landing: { type: 'string' }, why: { type: 'string' } } },
          },
        },
        required: ['table', 'partitions', 'up_to', 'since', 'data_version', 'awaited'],
      },
    },
  },
  required: ['tables'],
};

function addRoute(app: FastifyInstance, parts: QueryRoutes, route: Route): void {
  app.get(
    route.config.path.replaceAll(/\{([^}]+)\}/g, ':$1'),
    {
      schema: schemaOf(route),
      // The parameters are read by types that JSON Schema does not have.
      validatorCompiler: () => (value: unknown) => ({ value }),
    },
    (request, reply) => answer(parts, route, { request, reply }),
  );
}

async function answer(
  parts: QueryRoutes,
  route: Route,
  { request, reply }: { request: FastifyRequest; reply: FastifyReply },
): Promise<FastifyReply> {
  const format = formatFor(request.headers.accept);
  const query = readRequest(route, {
    params: request.params as Record<string, unknown>,
    query: request.query as Record<string, unknown>,
  });
  const wanted = { format, known: request.headers['if-none-match'], signal: request.stop.signal };
  const { etag, version, body, next } = await answerQuery(parts, route, query, wanted).catch(
    (error: unknown) => {
      if (error instanceof QueryFailure)
        request.log.error({ err: error.cause ?? error, query: route.name }, 'the query failed');
      // Without its cause: an answer has nothing of the query.
      throw error instanceof QueryFailure
        ? new HttpProblem(500, 'the query failed; the log of the service says why')
        : error;
    },
  );
  void reply.headers({
    etag,
    'hippo-data-version': version,
    'cache-control': request.caller === null ? 'no-cache' : 'private, no-cache',
    vary: 'accept',
    ...(next !== null && { link: `<${linkOf(request, next)}>; rel="next"` }),
  });
  if (body === null) return reply.code(304).send();
  return reply.header('content-type', contentTypeOf(format)).send(body);
}

/** The same request with the cursor of the next page. */
function linkOf(request: FastifyRequest, cursor: string): string {
  const [, search = ''] = request.url.split('?', 2);
  const query = new URLSearchParams(search);
  query.set('cursor', cursor);
  return `?${query.toString()}`;
}

function schemaOf(route: Route): Record<string, unknown> {
  const { summary, answer: kind, page } = route.config;
  const [path, query] = [true, false].map((isInPath) =>
    route.parameters.filter(({ name }) => route.inPath.has(name) === isInPath),
  );
  const paged = kind === 'rows';
  return {
    tags: ['queries'],
    ...(summary !== undefined && { summary }),
    operationId: route.name,
    ...(path !== undefined && path.length > 0 && { params: objectOf(path, true) }),
    querystring: {
      ...objectOf(query ?? [], false, {
        ...(paged && {
          limit: {
            type: 'integer',
            minimum: 1,
            maximum: page.most,
            default: page.size,
            description: 'Rows of a page',
          },
          cursor: {
            type: 'string',
            description:
              '`next` of the page before. It belongs to its data: when newer data have come for long, it is answered with 410',
          },
        }),
      }),
    },
    headers: {
      type: 'object',
      properties: {
        'if-none-match': { type: 'string', description: 'The ETag of an answer that the client has' },
      },
    },
    response: responsesOf(route),
  };
}

function objectOf(
  parameters: readonly Route['parameters'][number][],
  isInPath: boolean,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    type: 'object',
    properties: {
      ...Object.fromEntries(parameters.map((one) => [one.name, parameterSchema(one)])),
      ...more,
    },
    required: parameters.filter(({ config }) => isInPath || config.required).map(({ name }) => name),
  };
}

function responsesOf(route: Route): Answers {
  const paged = route.config.answer === 'rows';
  const schema = paged ? pageSchema(route) : rowSchema(route);
  const usual = answers(schema);
  return {
    ...usual,
    200: {
      description: 'OK',
      headers: {
        etag: { schema: { type: 'string' } },
        'hippo-data-version': { schema: { type: 'string' } },
        ...(paged && { link: { schema: { type: 'string' }, description: 'The next page, with rel="next"' } }),
      },
      content: {
        [FORMATS.json]: { schema },
        [FORMATS.csv]: {
          schema: { type: 'string', description: 'RFC 4180; a null is empty, an empty text is ""' },
        },
        [FORMATS.parquet]: { schema: { type: 'string', contentMediaType: FORMATS.parquet } },
      },
    },
    304: { description: 'The client has this answer already' },
    ...problemsOf(paged ? [406, 410] : [406]),
  };
}

function pageSchema(route: Route): object {
  return {
    type: 'object',
    properties: {
      data_version: { type: 'string' },
      rows: { type: 'array', items: rowSchema(route) },
      next: {
        type: ['string', 'null'],
        description: '`cursor` of the next page; null: this is the last one',
      },
    },
    required: ['data_version', 'rows', 'next'],
  };
}

function rowSchema({ shape }: Route): object {
  if (shape === null)
    return { type: 'object', description: 'Not known before the first data', additionalProperties: true };
  return {
    type: 'object',
    properties: Object.fromEntries(shape.columns.map(({ name, schema }) => [name, schema])),
    required: shape.columns.map(({ name }) => name),
  };
}
