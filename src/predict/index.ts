/** Loads a version of a model and predicts with it, without Spark and without Python: docs/MODEL-FORMAT.md. */
export { ModelAway, ModelRefused, type VersionName } from './errors.ts';
export { type LoadOptions, loadModel, readManifest } from './load.ts';
export type { ClassifierManifest, Manifest, RecommenderManifest } from './manifest.ts';
export type {
  ClassOf,
  Classifier,
  HdfsAccess,
  Model,
  ModelPlace,
  Recommendation,
  Recommendations,
  Recommender,
  S3Access,
  TopOptions,
} from './types.ts';
