/**
 * The HTTP application of the toolkit, for processes that serve programs and people: Fastify with checked input, problem+json
 * errors, an OpenAPI document and a page to try it, keys, limits, metrics, traces, logs, health, and an orderly end.
 *
 * It takes some ten megabytes more than src/http (docs/decisions/http-server.md), so only a process that needs it loads it.
 */
export { type AppOptions, type HttpApp, createApp } from './app.ts';
export { type KeySettings, Keys, type KeysOptions } from './keys.ts';
export { type AppLimits, DEFAULT_LIMITS } from './limits.ts';
export type { Readiness } from './health.ts';
export { type Answers, answers, problemsOf } from './answers.ts';
export { type FieldProblem, invalid, problemFor } from './problems.ts';
export type { Trace } from './trace.ts';
