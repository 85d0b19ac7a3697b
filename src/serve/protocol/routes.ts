/** The REST part of the Open Inference Protocol, version 2: clients of KServe, Triton and Seldon ask by it. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Answers, problemFor, problemsOf } from '../../http/app/index.ts';
import { HttpProblem } from '../../http/index.ts';
import { version } from '../../version.ts';
import type { ModelSlot } from '../engine.ts';
import { Batch, type Served } from '../predictions.ts';
import { infer, tensorsOf } from './inference.ts';
import { type BinaryInputs, type InferRequest, readMessage, writeMessage } from './message.ts';
import { TensorProblem } from './tensors.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Of a request of the protocol: the tensors that came in binary form. */
    binary: BinaryInputs;
  }
}

const ERROR = {
  type: 'object',
  required: ['error'],
  properties: { error: { type: 'string' }, request_id: { type: 'string' } },
};
const errors = (...statuses: number[]): Answers => problemsOf(statuses, ERROR, 'application/json');
const ok = (schema: object, ...statuses: number[]): Answers => ({
  200: { description: 'OK', content: { 'application/json': { schema } } },
  ...errors(400, 401, 404, 429, 500, 503, ...statuses),
});
const object = (properties: object): object => ({ type: 'object', properties });
const TEXT = { type: 'string' };
const FLAG = { type: 'boolean' };
const PARAMETERS = { type: 'object', additionalProperties: true };
const SHAPE = { type: 'array', maxItems: 8, items: { type: 'integer', minimum: 0, maximum: 2 ** 31 } };
const TENSORS = {
  type: 'array',
  items: object({ name: TEXT, datatype: TEXT, shape: { type: 'array', items: { type: 'integer' } } }),
};

const REQUEST = {
  type: 'object',
  required: ['inputs'],
  properties: {
    id: { type: 'string', maxLength: 512 },
    parameters: PARAMETERS,
    inputs: {
      type: 'array',
      minItems: 1,
      maxItems: 1_000,
      items: {
        type: 'object',
        required: ['name', 'shape', 'datatype'],
        properties: {
          name: { type: 'string', maxLength: 512 },
          shape: { ...SHAPE, minItems: 1 },
          datatype: {
            type: 'string',
            enum: [
              'BOOL',
              'UINT8',
              'UINT16',
              'UINT32',
              'UINT64',
              'INT8',
              'INT16',
              'INT32',
              'INT64',
              'FP32',
              'FP64',
              'BYTES',
            ],
          },
          parameters: PARAMETERS,
          data: { type: 'array', description: 'Row by row, nested or not' },
        },
      },
    },
    outputs: {
      type: 'array',
      maxItems: 100,
      items: {
        type: 'object',
        required: ['name'],
        properties: { name: { type: 'string', maxLength: 512 }, parameters: PARAMETERS },
      },
    },
  },
};
const ANSWER = object({
  model_name: TEXT,
  model_version: TEXT,
  id: TEXT,
  outputs: {
    type: 'array',
    items: object({
      name: TEXT,
      shape: SHAPE,
      datatype: TEXT,
      parameters: PARAMETERS,
      data: { type: 'array' },
    }),
  },
});
const BYTES = 'application/octet-stream';
const NAMED = { name: { type: 'string', minLength: 1 } };
const VERSIONED = { ...NAMED, version: { type: 'string', minLength: 1 } };

/** @param app an instance of its own, with the prefix /v2: errors look different there */
export function addProtocol(app: FastifyInstance, served: Served): void {
  app.decorateRequest('binary', null as unknown as BinaryInputs);
  app.setErrorHandler(answerError);
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, (request) => {
    throw new HttpProblem(404, `there is nothing at ${request.url.split('?', 1)[0]}`);
  });
  takeBytes(app);
  addServer(app, served);
  for (const [path, params] of [
    ['/models/:name', NAMED],
    ['/models/:name/versions/:version', VERSIONED],
  ] as const)
    addModel(app, served, {
      path,
      params: { type: 'object', required: Object.keys(params), properties: params },
    });
}

/** Triton's own client sends no content-type; others say JSON, also where bytes follow it. */
function takeBytes(app: FastifyInstance): void {
  app.addHook('onRequest', ({ raw }, _, done) => {
    raw.headers['content-type'] ??= BYTES;
    done();
  });
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser(['application/json', BYTES], { parseAs: 'buffer' }, (request, body, done) => {
    try {
      const length = request.headers['inference-header-content-length'];
      const { json, binary } = readMessage(body as Buffer, length?.toString());
      request.binary = binary;
      done(null, json);
    } catch (error) {
      done(error as Error);
    }
  });
}

function addServer(app: FastifyInstance, { slots }: Served): void {
  const tags = ['Open Inference Protocol'];
  const isReady = (): boolean => [...slots.values()].every(({ current }) => current !== null);
  app.get(
    '/health/live',
    {
      config: { isOpen: true, isAlwaysAnswered: true, rateLimit: false },
      schema: { tags, summary: 'Whether the server answers.', response: ok(object({ live: FLAG })) },
    },
    () => ({ live: true }),
  );
  app.get(
    '/health/ready',
    {
      config: { isOpen: true, isAlwaysAnswered: true, rateLimit: false },
      schema: { tags, summary: 'Whether every model is ready.', response: ok(object({ ready: FLAG })) },
    },
    (_, reply) => {
      if (!isReady()) void reply.code(503);
      return { ready: isReady() };
    },
  );
  app.get(
    '/',
    {
      schema: {
        tags,
        summary: 'The server.',
        response: ok(object({ name: TEXT, version: TEXT, extensions: { type: 'array', items: TEXT } })),
      },
    },
    () => ({ name: 'hippo', version, extensions: ['binary_tensor_data'] }),
  );
}

interface ModelRoute {
  path: string;
  params: object;
}

function addModel(app: FastifyInstance, served: Served, { path, params }: ModelRoute): void {
  const tags = ['Open Inference Protocol'];
  app.get(
    path,
    {
      schema: {
        tags,
        summary: 'What a model takes and gives.',
        params,
        response: ok(
          object({
            name: TEXT,
            versions: { type: 'array', items: TEXT },
            platform: TEXT,
            inputs: TENSORS,
            outputs: TENSORS,
          }),
        ),
      },
    },
    (request, reply) =>
      onModel(request, reply, served, ({ held: { model } }) => ({
        name: model.name,
        versions: [model.version],
        platform: `hippo_${model.kind}`,
        ...tensorsOf(model),
      })),
  );
  app.get(
    `${path}/ready`,
    {
      schema: {
        tags,
        summary: 'Whether a model is ready.',
        params,
        response: ok(object({ name: TEXT, ready: FLAG })),
      },
    },
    (request, reply) =>
      onModel(request, reply, served, ({ held: { model } }) => ({ name: model.name, ready: true })),
  );
  app.post(
    `${path}/infer`,
    {
      schema: { tags, summary: 'Predict.', params, body: REQUEST, response: ok(ANSWER, 413, 415) },
    },
    (request, reply) =>
      onModel(request, reply, served, async (batch) => {
        const asked = request.body as InferRequest;
        const outputs = await infer(batch, { request: asked, binary: request.binary, limits: served.limits });
        const { name, version: answering } = batch.held.model;
        const { body, jsonLength } = writeMessage(
          {
            model_name: name,
            model_version: answering,
            ...(asked.id !== undefined && { id: asked.id }),
            outputs,
          },
          (output) => isBinary(asked, output),
        );
        if (jsonLength !== null) void reply.header('inference-header-content-length', jsonLength);
        void reply.header('content-type', jsonLength === null ? 'application/json' : BYTES);
        return body;
      }),
  );
}

/** The request may say it for each output, or for all. */
function isBinary({ parameters, outputs }: InferRequest, output: string): boolean {
  const own = outputs?.find(({ name }) => name === output)?.parameters?.['binary_data'];
  return (own ?? parameters?.['binary_data_output']) === true;
}

async function onModel<T>(
  request: FastifyRequest,
  reply: FastifyReply,
  served: Served,
  work: (batch: Batch) => T | Promise<T>,
): Promise<T> {
  const params = request.params as { name: string; version?: string };
  const held = slotOf(served, params.name).take();
  try {
    const { model } = held;
    if (params.version !== undefined && params.version !== model.version)
      throw new HttpProblem(
        404,
        `version ${params.version} of the model ${model.name} is not served; ${model.version} is`,
      );
    void reply.header('hippo-model-version', model.version);
    return await work(new Batch(held, served, request.stop.signal));
  } finally {
    held.release();
  }
}

function slotOf({ slots }: Served, name: string): ModelSlot {
  const slot = slots.get(name);
  if (slot !== undefined) return slot;
  throw new HttpProblem(404, `there is no model ${name}; there is ${[...slots.keys()].join(', ')}`);
}

/** As the protocol wants it: `{"error": "…"}`. */
function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const known = error instanceof TensorProblem ? new HttpProblem(400, error.message) : problemFor(error);
  if (known === null) request.log.error({ err: error }, 'the request failed');
  const { status, message, headers } =
    known ?? new HttpProblem(500, 'the service failed to answer; its log says why');
  void reply
    .code(status)
    .headers({ ...headers })
    .send({ error: message, request_id: request.id });
}
