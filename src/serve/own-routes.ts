/**
 * A project's own routes, in `client-app/routes.ts` (or `.js`) of its project, as the default export:
 *
 * ```ts
 * import type { OwnRoutes } from 'hippo-toolkit';
 *
 * export default ((app, { models }) => {
 *   app.get('/is-setosa/:values', (request) =>
 *     models.use('iris', (model) => ({ version: model.version })));
 * }) satisfies OwnRoutes;
 * ```
 *
 * The file runs as it is, without a build: TypeScript whose types can be stripped (no enums, no parameter properties).
 */

/** A version of a model, as src/predict loads it. */
export type OwnModel = OwnClassifier | OwnRecommender;

interface OwnLoaded {
  readonly name: string;
  readonly version: string;
}

export interface OwnClassifier extends OwnLoaded {
  readonly kind: 'classifier';
  /** The names of the columns of a row, in their order. */
  readonly features: readonly string[];
  /** The labels, in the order of the probabilities. */
  readonly classes: readonly string[];
  /** One probability for each class. */
  probabilities(row: ArrayLike<number>): Float64Array;
  classOf(row: ArrayLike<number>): { readonly index: number; readonly label: string };
}

export interface OwnRecommender extends OwnLoaded {
  readonly kind: 'recommender';
  /** The items with the highest scores, best first. An unknown user gets the popular items, with the score null. */
  top(
    user: string,
    count: number,
    options?: { readonly withKnown?: boolean },
  ): {
    readonly known: boolean;
    readonly items: readonly { readonly item: string; readonly score: number | null }[];
  };
}

/** One request, as Fastify has it. */
export interface OwnRequest {
  readonly id: string;
  readonly method: string;
  /** With the query. */
  readonly url: string;
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The name of the key that the request came with; null: it needed none. */
  readonly caller: string | null;
  /** Headers to pass on to other services: https://www.w3.org/TR/trace-context/. */
  readonly trace: {
    readonly traceId: string;
    readonly traceparent: string;
    readonly tracestate: string | undefined;
  };
  /** Its signal is aborted when the client has gone, or the answer takes too long. */
  readonly stop: { readonly signal: AbortSignal };
  readonly log: Record<
    'debug' | 'info' | 'warn' | 'error',
    (fields: object | string, message?: string) => void
  >;
}

export interface OwnReply {
  code(status: number): this;
  header(name: string, value: string | number): this;
  type(contentType: string): this;
  send(payload?: unknown): this;
}

/** Returns the answer, which is sent as JSON; throws an error with `statusCode` below 500 for a problem that the client is told. */
export type OwnHandler = (request: OwnRequest, reply: OwnReply) => unknown;

/** JSON Schemas: input that does not fit is refused, and the OpenAPI document has them. */
export interface OwnSchema {
  summary?: string;
  description?: string;
  tags?: string[];
  params?: object;
  querystring?: object;
  body?: object;
  response?: object;
}

export interface OwnRouteOptions {
  schema?: OwnSchema;
}

type AddRoute = {
  (path: string, handler: OwnHandler): unknown;
  (path: string, options: OwnRouteOptions, handler: OwnHandler): unknown;
};

/** What the routes of a project use of Fastify's instance; it has the rest, too (https://fastify.dev/docs/latest/Reference/Server/). */
export interface OwnApp {
  get: AddRoute;
  post: AddRoute;
  put: AddRoute;
  patch: AddRoute;
  delete: AddRoute;
}

export interface OwnModels {
  readonly names: readonly string[];
  /**
   * Calls `work` with the version of a model that serves now. It stays in memory until `work` has ended.
   *
   * @throws an error that answers 503 before the first version, 404 for a model that is not served
   */
  use<T>(name: string, work: (model: OwnModel) => T | Promise<T>): Promise<T>;
}

export interface OwnContext {
  models: OwnModels;
}

/** Paths are below `serve.prefix` of hippo.yaml. */
export type OwnRoutes = (app: OwnApp, context: OwnContext) => void | Promise<void>;
