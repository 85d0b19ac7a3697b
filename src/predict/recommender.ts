/** ALS: the score of an item for a user is the dot product of their factors. */
import * as v from 'valibot';
import { BugError, messageOf } from '../core/errors.ts';
import { parsePlainJson } from '../core/json.ts';
import { Best } from './best.ts';
import { Flaw } from './errors.ts';
import type { VersionFiles } from './files.ts';
import { Ids } from './ids.ts';
import { Items } from './items.ts';
import type { RecommenderManifest } from './manifest.ts';
import type { Pace } from './pace.ts';
import type { Recommendation, Recommendations, Recommender, TopOptions } from './types.ts';

const USER_FACTORS = 'user_factors.f32';
const ITEM_FACTORS = 'item_factors.f32';
const USERS = 'users.json';
const ITEMS = 'items.json';
const KNOWN_OFFSETS = 'known_offsets.u32';
const KNOWN_ITEMS = 'known_items.u32';
const POPULAR = 'popular.json';

const WORD = 4;
/** So many numbers are looked at in one step. */
const STEP = 100_000;
const MOST_POPULAR = 1_000;
/** So many predictions make V8 compile what they run; more than so many milliseconds are not spent on them. */
const WARM = { predictions: 50, millis: 500 };

/** @throws Flaw, ModelAway */
export async function loadRecommender(
  files: VersionFiles,
  manifest: RecommenderManifest,
  pace: Pace,
): Promise<Recommender> {
  const { users } = manifest.input;
  const { items, rank } = manifest.output;
  const userIds = await Ids.parse(USERS, await files.read(USERS, manifest), users, pace);
  await userIds.index(USERS, pace);
  const itemIds = await Ids.parse(ITEMS, await files.read(ITEMS, manifest), items, pace);
  const known = await readKnown(files, manifest, pace);
  const popular = parsePopular(Buffer.from(await files.read(POPULAR, manifest)).toString('utf8'), items);
  const userFactors = await readFactors(USER_FACTORS, files, manifest, { rows: users, pace });
  const itemFactors = await readFactors(ITEM_FACTORS, files, manifest, { rows: items, pace });
  const index = await Items.build(itemFactors, items, rank, pace);
  itemFactors.buffer.transfer(0);
  const model = new Als(manifest, {
    ...{ userIds, itemIds, known, popular, userFactors },
    items: index,
  });
  await model.warmUp(pace);
  return model;
}

interface Rows {
  readonly rows: number;
  readonly pace: Pace;
}

/** @returns rows × rank, row after row */
async function readFactors(
  file: string,
  files: VersionFiles,
  manifest: RecommenderManifest,
  { rows, pace }: Rows,
): Promise<Float32Array<ArrayBuffer>> {
  const { rank } = manifest.output;
  const factors = new Float32Array(await files.read(file, manifest, rows * rank * WORD));
  await pace.inSteps(factors.length, STEP, (from, to) => {
    for (let at = from; at < to; at += 1)
      if (!Number.isFinite(factors[at]))
        throw new Flaw(file, `row ${Math.floor(at / rank)} has the factor ${factors[at] ?? ''}`);
  });
  return factors;
}

/** Which items each user has rated. */
interface Known {
  /** By user row: where his items begin, and after the last user where they end. */
  readonly offsets: Uint32Array<ArrayBuffer>;
  /** Item rows. */
  readonly items: Uint32Array<ArrayBuffer>;
}

async function readKnown(files: VersionFiles, manifest: RecommenderManifest, pace: Pace): Promise<Known> {
  const { users } = manifest.input;
  const offsets = new Uint32Array(await files.read(KNOWN_OFFSETS, manifest, (users + 1) * WORD));
  if (offsets[0] !== 0)
    throw new Flaw(KNOWN_OFFSETS, `its first number must be 0; it is ${offsets[0] ?? ''}`);
  await pace.inSteps(users, STEP, (from, to) => {
    for (let user = from; user < to; user += 1)
      if ((offsets[user] ?? 0) > (offsets[user + 1] ?? 0))
        throw new Flaw(KNOWN_OFFSETS, `the items of user row ${user} end before they begin`);
  });
  const length = offsets[users] ?? 0;
  const items = new Uint32Array(await files.read(KNOWN_ITEMS, manifest, length * WORD));
  const most = manifest.output.items;
  await pace.inSteps(length, STEP, (from, to) => {
    for (let at = from; at < to; at += 1)
      if ((items[at] ?? 0) >= most)
        throw new Flaw(
          KNOWN_ITEMS,
          `number ${at} is the item row ${items[at] ?? ''}, and there are ${most} items`,
        );
  });
  return { offsets, items };
}

function parsePopular(json: string, items: number): number[] {
  let value: unknown;
  try {
    value = parsePlainJson(json);
  } catch (error) {
    throw new Flaw(POPULAR, `it is not JSON: ${messageOf(error)}`);
  }
  const row = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(items - 1));
  const parsed = v.safeParse(v.pipe(v.array(row), v.maxLength(MOST_POPULAR)), value);
  if (!parsed.success)
    throw new Flaw(
      POPULAR,
      `it must be a list of at most ${MOST_POPULAR} item rows, each below ${items}; it has ${parsed.issues[0].received}`,
    );
  if (new Set(parsed.output).size < parsed.output.length) throw new Flaw(POPULAR, 'it has an item row twice');
  return parsed.output;
}

interface Parts {
  readonly userIds: Ids;
  readonly itemIds: Ids;
  readonly known: Known;
  /** Item rows. */
  readonly popular: readonly number[];
  readonly userFactors: Float32Array<ArrayBuffer>;
  readonly items: Items;
}

class Als implements Recommender {
  readonly kind = 'recommender';
  readonly name: string;
  readonly version: string;
  readonly users: number;
  readonly items: number;
  readonly rank: number;
  readonly bytes: number;
  readonly manifest: RecommenderManifest;
  #parts: Parts | undefined;
  /** By item row; all are 0 between two calls. */
  readonly #leftOut: Uint8Array;

  constructor(manifest: RecommenderManifest, parts: Parts) {
    this.manifest = manifest;
    this.name = manifest.model;
    this.version = manifest.version;
    this.users = manifest.input.users;
    this.items = manifest.output.items;
    this.rank = manifest.output.rank;
    this.#parts = parts;
    this.#leftOut = new Uint8Array(this.items);
    const { userIds, itemIds, known, userFactors, items } = parts;
    this.bytes =
      userIds.bytes +
      itemIds.bytes +
      known.offsets.byteLength +
      known.items.byteLength +
      userFactors.byteLength +
      items.bytes +
      this.#leftOut.byteLength;
  }

  top(user: string, count: number, { withKnown = false }: TopOptions = {}): Recommendations {
    const parts = this.#open();
    const row = parts.userIds.rowOf(user);
    if (row < 0) return { known: false, items: popularOf(parts, count) };
    return { known: true, items: count < 1 ? [] : this.#topOf(parts, row, count, withKnown) };
  }

  /** Predicts for users all over the table. */
  async warmUp(pace: Pace): Promise<void> {
    if (this.users === 0) return;
    const end = performance.now() + WARM.millis;
    for (let times = 0; times < WARM.predictions && performance.now() < end; times += 1) {
      const row = Math.floor((times * this.users) / WARM.predictions);
      this.top(this.#open().userIds.idOf(row), 10);
      await pace.breathe();
    }
  }

  dispose(): void {
    if (this.#parts === undefined) return;
    const { userIds, itemIds, known, userFactors, items } = this.#parts;
    this.#parts = undefined;
    for (const part of [userIds, itemIds, items]) part.dispose();
    for (const { buffer } of [known.offsets, known.items, userFactors]) buffer.transfer(0);
  }

  #open(): Parts {
    if (this.#parts === undefined)
      throw new BugError(`version ${this.version} of the model ${this.name} was disposed of`);
    return this.#parts;
  }

  #topOf({ known, userFactors, items, itemIds }: Parts, row: number, count: number, withKnown: boolean) {
    const best = new Best(Math.min(count, this.items));
    const mine = known.items.subarray(
      known.offsets[row],
      withKnown ? known.offsets[row] : known.offsets[row + 1],
    );
    const user = userFactors.subarray(row * this.rank, (row + 1) * this.rank);
    for (const item of mine) this.#leftOut[item] = 1;
    items.offerTo(best, user, this.#leftOut);
    for (const item of mine) this.#leftOut[item] = 0;
    return best.sorted().map(({ row: item, score }): Recommendation => ({ item: itemIds.idOf(item), score }));
  }
}

function popularOf({ popular, itemIds }: Parts, count: number): Recommendation[] {
  return popular.slice(0, Math.max(count, 0)).map((row) => ({ item: itemIds.idOf(row), score: null }));
}
