/** What a loaded model offers. */
import type { Millis } from '../core/clock.ts';
import type { ClassifierManifest, RecommenderManifest } from './manifest.ts';

/** Where the versions of a model are, as `$HIPPO_MODEL_FILE` has it. */
export interface ModelPlace {
  /** The folder of all versions: a path, `file:///…`, `hdfs://…`, `s3a://bucket/…` or `s3://bucket/…`. */
  readonly location: string;
  /** For `hdfs://`. */
  readonly hdfs?: HdfsAccess | undefined;
  /** For `s3a://` and `s3://`. */
  readonly s3?: S3Access | undefined;
}

export interface HdfsAccess {
  /** `http://namenode:9870`; of two NameNodes a list, or both with a comma between them. */
  readonly webhdfs: string | readonly string[];
  /** The `user.name` of the requests. [default: $HADOOP_USER_NAME, else the user of this process] */
  readonly user?: string | undefined;
  /** How long nothing may come in, milliseconds. [default: 30 s] */
  readonly request_timeout?: Millis | undefined;
}

export interface S3Access {
  /** `http://127.0.0.1:9000`. [default: AWS's own] */
  readonly endpoint?: string | undefined;
  /** [default: that of the environment or of the profile] */
  readonly region?: string | undefined;
  /** The bucket is in the path, not in the host's name. [default: true with an endpoint] */
  readonly path_style?: boolean | undefined;
  /** A profile of ~/.aws/config. [default: $AWS_PROFILE] */
  readonly profile?: string | undefined;
  /** How long nothing may come in, milliseconds. [default: 30 s] */
  readonly request_timeout?: Millis | undefined;
}

interface Loaded {
  readonly name: string;
  readonly version: string;
  /** Of the memory that the model holds outside of V8's heap. */
  readonly bytes: number;
  /** Lets the memory go. A prediction after it throws. */
  dispose(): void;
}

/** A logistic regression. */
export interface Classifier extends Loaded {
  readonly kind: 'classifier';
  readonly manifest: ClassifierManifest;
  /** The names of the columns of a row, in their order. */
  readonly features: readonly string[];
  /** The labels, in the order of the probabilities. */
  readonly classes: readonly string[];
  /**
   * @param row one number for each feature
   * @returns one probability for each class; their sum is 1. With a NaN in the row they are NaN
   * @throws RangeError where the row has another length
   */
  probabilities(row: ArrayLike<number>): Float64Array;
  /**
   * The class with the highest probability; of several the first one, as in Spark.
   *
   * @param row as for {@link probabilities}
   */
  classOf(row: ArrayLike<number>): ClassOf;
}

export interface ClassOf {
  /** The place of the class in {@link Classifier.classes}. */
  readonly index: number;
  readonly label: string;
}

/** Factors of users and items, as ALS finds them. */
export interface Recommender extends Loaded {
  readonly kind: 'recommender';
  readonly manifest: RecommenderManifest;
  /** How many. */
  readonly users: number;
  /** How many. */
  readonly items: number;
  /** The length of a vector of factors. */
  readonly rank: number;
  /**
   * The items with the highest scores, best first; of equal scores the smaller item row first. An unknown user gets the popular
   * items, with the score null.
   *
   * @param count at most so many
   */
  top(user: string, count: number, options?: TopOptions): Recommendations;
}

export interface TopOptions {
  /** Also the items that the user has rated. [default: false] */
  readonly withKnown?: boolean | undefined;
}

export interface Recommendations {
  /** Whether the model was trained with this user. */
  readonly known: boolean;
  readonly items: readonly Recommendation[];
}

export interface Recommendation {
  readonly item: string;
  /** The dot product of the user's and the item's factors; null for an unknown user. */
  readonly score: number | null;
}

export type Model = Classifier | Recommender;
