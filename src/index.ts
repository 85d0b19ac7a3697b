/** What a hippo's own code may import: `import type { … } from 'hippo-toolkit'`. */
export type * from './messages/types.ts';
export type { Submission } from './client/machine/types.ts';
export type { RunId, RunStatus } from './state/index.ts';
export type { HookDecision, HookOutcome, HookRun, Hooks } from './client/hooks.ts';
export type {
  OwnApp,
  OwnClassifier,
  OwnContext,
  OwnHandler,
  OwnModel,
  OwnModels,
  OwnRecommender,
  OwnReply,
  OwnRequest,
  OwnRouteOptions,
  OwnRoutes,
  OwnSchema,
} from './serve/own-routes.ts';
