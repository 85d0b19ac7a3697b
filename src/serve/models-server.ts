import { resolve } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { type LoadOptions as ConfigOptions, hippoName, loadConfig } from '../config/load.ts';
import { type ServeConfig, parseConfig } from '../config/schema.ts';
import { BugError, UserError } from '../core/errors.ts';
import { formatDuration } from '../core/duration.ts';
import { type HttpApp, Keys, type Readiness, createApp } from '../http/app/index.ts';
import { ModelRefused, loadModel } from '../predict/index.ts';
import { version } from '../version.ts';
import { type ModelEvent, ModelSlot, type SlotOptions } from './engine.ts';
import { type Targets, followModelFile, readModelFile } from './model-file.ts';
import { createModelMetrics } from './model-metrics.ts';
import { addOwnRoutes, loadOwnRoutes, ownModels } from './own-routes-loader.ts';
import type { Served } from './predictions.ts';
import { addProtocol } from './protocol/routes.ts';
import { addPredictions } from './routes.ts';

export interface ServeOptions extends Pick<ConfigOptions, 'file' | 'profile'> {
  env: NodeJS.ProcessEnv;
  cwd?: string;
  /** Ends it: it drains. */
  stop: AbortSignal;
  /** Lines of JSON. */
  log: { write(line: string): void };
  /** Of the models; for tests. */
  load?: SlotOptions['load'];
}

export interface ServeReport {
  /** Requests that were cut off at the end, because they took longer than `serve.drain.limit`. */
  cut: number;
}

/**
 * Serves the models of `$HIPPO_MODEL_FILE` until it is told to stop.
 *
 * @throws UserError for a setting, a key, a model file or own routes that cannot be used
 */
export async function serveModels(options: ServeOptions): Promise<ServeReport> {
  const { env, stop } = options;
  const loaded = await loadConfig({ ...options, cwd: options.cwd ?? process.cwd() });
  const settings: ServeConfig = loaded.config.serve ?? defaults();
  const file = modelFileOf(env);
  const targets = await readModelFile(file);
  const slots = new Map<string, ModelSlot>();
  const server = await openServer(options, {
    settings,
    directory: loaded.directory,
    slots,
    name: hippoName(loaded),
  });
  const { app, logged } = server;
  const metrics = await createModelMetrics(app.registry, slots);
  for (const name of targets.keys())
    slots.set(
      name,
      newSlot(name, { ...options, settings }, (event) => {
        metrics.observe(event);
        logged.event(event);
      }),
    );
  const { batch, top } = settings.limits;
  await addRoutes(
    app,
    { slots, limits: { batch, top }, count: metrics.count },
    {
      prefix: settings.prefix,
      directory: loaded.directory,
    },
  );
  const address = await app.listen();
  logged.info({ address, models: [...slots.keys()] }, 'serving');
  apply(targets, slots);
  followModelFile(file, stop, { onTargets: (now) => apply(now, slots), onError: logged.error });
  await aborted(stop);
  logged.info({}, 'draining');
  const report = await app.drain();
  await Promise.all([...slots.values()].map((slot) => slot.close()));
  return report;
}

/** Of a hippo.yaml without the section. */
export function defaults(): ServeConfig {
  const { serve } = parseConfig({ serve: {} });
  if (serve === undefined) throw new BugError('the schema has no defaults of serve');
  return serve;
}

function modelFileOf(env: NodeJS.ProcessEnv): string {
  const file = env['HIPPO_MODEL_FILE'];
  if (file !== undefined && file !== '') return file;
  throw new UserError('hippo serve needs $HIPPO_MODEL_FILE', {
    why: 'it says which version of which model is served; the client writes it for a service of `models`',
    next: ['hippo run', 'hippo serve --help'],
  });
}

interface ServerParts {
  settings: ServeConfig;
  directory: string;
  slots: ReadonlyMap<string, ModelSlot>;
  name: string;
}

async function openServer(
  { env, log }: ServeOptions,
  { settings, directory, slots, name }: ServerParts,
): Promise<{ app: HttpApp; logged: Logged }> {
  const { host, page, limits, drain, keys_file: keysFile } = settings;
  const file = keysFile === undefined ? undefined : resolve(directory, keysFile);
  let reportError = (_text: string): void => undefined;
  const keys = await Keys.open(
    { keys: settings.keys, file },
    { setting: 'serve', onError: (text) => reportError(text) },
  );
  const app = await createApp({
    host,
    port: portOf(env, settings),
    setting: 'serve',
    title: name,
    description: `Predictions of the hippo ${name}. Each answer has the header hippo-model-version.`,
    version,
    keys,
    hasPage: page,
    limits: { ...limits, notice: drain.notice, drain: drain.limit },
    readiness: () => readinessOf(slots),
    log,
  });
  const logged = loggedBy(app);
  reportError = logged.error;
  return { app, logged };
}

export function portOf(env: NodeJS.ProcessEnv, { port }: ServeConfig): number {
  const text = env['HIPPO_PORT'] ?? '';
  if (text === '') return port;
  const given = Number(text);
  if (/^\d{1,5}$/.test(text) && given <= 65_535) return given;
  throw new UserError(`$HIPPO_PORT is not a port: ${text}`, { next: ['set it to a number from 0 to 65535'] });
}

/** Not ready before every model has a version: which one is awaited, or what is wrong with it, is in the body. */
function readinessOf(slots: ReadonlyMap<string, ModelSlot>): Readiness {
  const states = [...slots.values()].map(({ name, status }) => ({ name, ...status }));
  const serving = states.filter((state) => state.version !== null);
  const models = Object.fromEntries(
    states.map(({ name, version: serves, wanted, problem }) => [
      name,
      { version: serves, wanted, ...(problem !== null && { problem }) },
    ]),
  );
  const headers = {
    'hippo-models': serving.map(({ name, version: serves }) => `${name}=${serves}`).join(', '),
  };
  const missing = states.filter((state) => state.version === null).map(({ name }) => name);
  return {
    isReady: missing.length === 0,
    headers: serving.length === 0 ? {} : headers,
    body: { ...(missing.length > 0 && { awaited: missing }), models },
  };
}

function newSlot(
  name: string,
  { settings, load = loadModel }: { settings: ServeConfig } & Pick<ServeOptions, 'load'>,
  onEvent: (event: ModelEvent) => void,
): ModelSlot {
  return new ModelSlot(name, {
    load,
    // A setting that is wrong stays wrong; all else may heal.
    isRefused: (error) => error instanceof ModelRefused || error instanceof UserError,
    onEvent,
    driftWindow: settings.drift.window,
  });
}

/** A model that has come since is served after a restart: routes cannot be added to a server that listens. */
function apply(targets: Targets, slots: ReadonlyMap<string, ModelSlot>): void {
  for (const [name, target] of targets) slots.get(name)?.want(target);
}

async function addRoutes(
  app: HttpApp,
  served: Served,
  own: { prefix: string; directory: string },
): Promise<void> {
  const { fastify } = app;
  const { slots } = served;
  const slotsByName = [...slots.values()];
  const [only] = slotsByName;
  for (const slot of slotsByName) {
    await within(fastify, `/models/${slot.name}`, (scope) => addPredictions(scope, slot, served));
  }
  if (slots.size === 1 && only !== undefined) addPredictions(fastify, only, served);
  await within(fastify, '/v2', (scope) => addProtocol(scope, served));
  const routes = await loadOwnRoutes(own.directory);
  if (routes !== null) await addOwnRoutes(fastify, routes, { prefix: own.prefix, models: ownModels(slots) });
}

/** Adds routes below a prefix, in an instance of their own. */
async function within(
  app: FastifyInstance,
  prefix: string,
  add: (scope: FastifyInstance) => void,
): Promise<void> {
  // Async: what it throws rejects, and does not end the process.
  await app.register(
    async (scope) => {
      add(scope);
      return Promise.resolve();
    },
    { prefix },
  );
}

interface Logged {
  info: (fields: object, message: string) => void;
  error: (text: string) => void;
  event: (event: ModelEvent) => void;
}

function loggedBy({ fastify: { log } }: HttpApp): Logged {
  return {
    info: (fields, message) => log.info(fields, message),
    error: (text) => log.error(text),
    event: (event) => {
      const { kind, model, version: of } = event;
      const fields = { model, model_version: of };
      if (kind === 'serving') {
        const { previous, seconds, bytes } = event;
        log.info(
          { ...fields, previous, bytes },
          `version ${of} serves, loaded in ${formatDuration(seconds * 1_000)}`,
        );
      } else if (kind === 'refused')
        log.error(fields, `${event.message}; the version before it goes on serving`);
      else if (kind === 'away') log.warn(fields, `${event.message}; it is tried again`);
      else log.info(fields, `version ${of} has answered its last request; its memory is free`);
    },
  };
}

export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });
}
