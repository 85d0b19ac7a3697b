/** What all routes of predictions share: which model, how many rows at once, and what is counted. */
import { setImmediate } from 'node:timers/promises';
import { HttpProblem } from '../http/index.ts';
import type { Classifier, Model, Recommendations, Recommender } from '../predict/index.ts';
import type { Held, ModelSlot } from './engine.ts';

export interface PredictionLimits {
  /** Rows, or users, of one request. */
  batch: number;
  /** Items for one user. */
  top: number;
}

export interface Served {
  /** By name; they stay the same as long as the process runs. */
  slots: ReadonlyMap<string, ModelSlot>;
  limits: PredictionLimits;
  /** So many predictions were answered by this version. */
  count: (model: string, version: string, predictions: number) => void;
}

/** A request computes so long before others have their turn, milliseconds. */
const TURN = 5;
/** A look at the clock costs as much as some predictions. */
const ROWS_PER_LOOK = 16;

/**
 * Calls `each` with 0 to count − 1, and lets other requests be answered in between.
 *
 * @throws the signal's reason when the client has gone
 */
export async function inTurns(
  count: number,
  signal: AbortSignal,
  each: (index: number) => void,
): Promise<void> {
  let began = performance.now();
  for (let index = 0; index < count; index += 1) {
    each(index);
    if (index % ROWS_PER_LOOK !== ROWS_PER_LOOK - 1 || performance.now() - began < TURN) continue;
    await setImmediate();
    signal.throwIfAborted();
    began = performance.now();
  }
}

export function asClassifier(model: Model): Classifier {
  if (model.kind === 'classifier') return model;
  throw new HttpProblem(
    404,
    `the model ${model.name} is a recommender; it has no classes: GET /users/1/top/10`,
  );
}

export function asRecommender(model: Model): Recommender {
  if (model.kind === 'recommender') return model;
  throw new HttpProblem(
    404,
    `the model ${model.name} is a classifier; it knows no users: GET /features/…/class`,
  );
}

/** The rows of one request, of one version, with what they are counted as. */
export class Batch {
  readonly held: Held;
  readonly #served: Served;
  readonly #signal: AbortSignal;

  constructor(held: Held, served: Served, signal: AbortSignal) {
    this.held = held;
    this.#served = served;
    this.#signal = signal;
  }

  async classes(rows: readonly ArrayLike<number>[]): Promise<{ index: number; label: string }[]> {
    const model = asClassifier(this.held.model);
    return this.#each(rows, (row) => model.classOf(row));
  }

  async probabilities(rows: readonly ArrayLike<number>[]): Promise<Float64Array[]> {
    const model = asClassifier(this.held.model);
    return this.#each(rows, (row) => model.probabilities(row));
  }

  async top(users: readonly string[], count: number, withKnown: boolean): Promise<Recommendations[]> {
    const model = asRecommender(this.held.model);
    const answers: Recommendations[] = [];
    await inTurns(users.length, this.#signal, (index) => {
      answers.push(model.top(users[index] as string, count, { withKnown }));
    });
    this.#count(users.length);
    return answers;
  }

  async #each<T>(rows: readonly ArrayLike<number>[], predict: (row: ArrayLike<number>) => T): Promise<T[]> {
    const { drift } = this.held;
    const answers: T[] = [];
    await inTurns(rows.length, this.#signal, (index) => {
      const row = rows[index] as ArrayLike<number>;
      answers.push(predict(row));
      drift?.record(row);
    });
    this.#count(rows.length);
    return answers;
  }

  #count(predictions: number): void {
    const { name, version } = this.held.model;
    this.#served.count(name, version, predictions);
  }
}
