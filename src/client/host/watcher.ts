import { epochSeconds, isoSecond } from '../../core/clock.ts';
import { formatDuration } from '../../core/duration.ts';
import { visible } from '../../core/visible.ts';
import { isAborted } from '../../core/abort.ts';
import { pause } from '../../core/deadline.ts';
import type { RecordRef } from '../../core/record-ref.ts';
import type { Watermark } from '../../core/watermark.ts';
import {
  PartlyAwayError,
  type ScanError,
  type Skip,
  SourceAwayError,
  describeAway,
  isScanError,
} from '../../sources/index.ts';
import {
  type Announcements,
  type LandingHash,
  NO_ANNOUNCEMENTS,
  bucketOf,
  countAnnouncements,
  eachAnnouncement,
  findAnnouncement,
  fingerprintOf,
  landingHash,
} from '../../state/index.ts';
import type { MachineEvent, MachineState, Scan, ToldLanding } from '../machine/index.ts';
import type { ClientLog } from './client-event.ts';
import type { WatchedSource } from './sources.ts';

/** What a watcher tells the machine; the machine's host adds the time. */
export type Finding =
  | Omit<Extract<MachineEvent, { type: 'landings-found' }>, 'at'>
  | Omit<Extract<MachineEvent, { type: 'landings-missed' }>, 'at'>
  | Omit<Extract<MachineEvent, { type: 'scan-ended' }>, 'at'>;

export interface WatcherOptions {
  watched: WatchedSource;
  state: () => MachineState;
  /** Resolves when the machine has taken the finding in and what follows is written; rejects when it is not. */
  tell: (finding: Finding) => Promise<void>;
  log: ClientLog;
  /** End after a complete scan that leaves nothing unsettled. */
  once: boolean;
}

/** So many differences are collected and then told in the order of their buckets: each bucket is written a few times only. */
const MOST_COLLECTED = 100_000;
/** So many go into one step. */
const IN_A_STEP = 200;
/** The same of what is not listed any more: no event is published for it. */
const MISSED_IN_A_STEP = 5_000;
/** So many skipped paths are reported by name. */
const SKIPS_REPORTED = 20;
/** Of so many new skipped paths of one scan a notice says each. */
const SKIPS_TOLD = 20;
/** How often a source that is waited for is looked at with `once`, milliseconds. */
const SOON = 1_000;

/** Scans one source again and again, and tells the machine what differs from what is announced. */
export class Watcher {
  readonly #options: WatcherOptions;
  /** The paths whose skipping has been logged → the reason. */
  #told = new Map<string, string>();
  #scans = 0;
  /** The message of the error that the last scan ended with. */
  #away: string | undefined;
  #hasToldOfSettling = false;
  #now = new AbortController();
  #requests: RecordRef[] = [];
  /** When the last scan that has ended began, as performance.now() has it. */
  #scannedAt = -Infinity;

  constructor(options: WatcherOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.watched.source.name;
  }

  /** Whether all that was there at this moment, as performance.now() has it, has been listed and taken in; so it has while it is paused. */
  hasScannedSince(moment: number): boolean {
    return this.#isPaused || this.#scannedAt >= moment;
  }

  /** Does not wait for the next scan; the one that begins now names the request. */
  scanNow(request: RecordRef | null): void {
    if (request !== null) this.#requests.push(request);
    this.#now.abort();
  }

  /**
   * Watches until the signal is aborted, or with `once` until all is announced.
   *
   * @throws ScanError with `once`, when the source cannot be listed to the end
   */
  async watch(signal: AbortSignal): Promise<void> {
    const { watched, once } = this.#options;
    while (!signal.aborted) {
      const error = this.#isPaused ? undefined : await this.#scan(signal);
      if (isAborted(signal)) return;
      if (once && error !== undefined) throw error;
      if (once && (this.#isPaused || this.#isSettled)) return;
      if (once) this.#tellOfSettling();
      await pause(
        once ? Math.min(SOON, watched.every) : watched.every,
        AbortSignal.any([signal, this.#now.signal]),
      );
      if (this.#now.signal.aborted) this.#now = new AbortController();
    }
  }

  get #isPaused(): boolean {
    return this.#options.state().pauses.has(this.name);
  }

  get #isSettled(): boolean {
    return this.#options.state().sources.get(this.name)?.unsettled.isEmpty() !== false;
  }

  get #announcements(): Announcements {
    return this.#options.state().sources.get(this.name)?.announcements ?? NO_ANNOUNCEMENTS;
  }

  /** @returns why it did not come to its end */
  async #scan(signal: AbortSignal): Promise<ScanError | undefined> {
    const { watched, tell } = this.#options;
    const table = `${watched.source.db}.${watched.source.table}`;
    const number = (this.#scans += 1);
    const began = performance.now();
    const requests = this.#requests.splice(0);
    const skips: Skip[] = [];
    const listed = new Listed();
    let error: ScanError | undefined;
    let watermark: Watermark | undefined;
    /** Pauses that came before all was told. */
    let pauses = 0;
    let differing: ToldLanding[] = [];
    const flush = async (): Promise<void> => {
      const some = differing;
      differing = [];
      if (!(await this.#tellOf(some, number, signal))) pauses += 1;
    };
    try {
      const scan = watched.scanner.scan(signal, (skip) => skips.push(skip), {
        onWait: (text) => this.#warn(text),
        watermark: this.#options.state().sources.get(this.name)?.watermark,
        onWatermark: (reached) => (watermark = reached),
      });
      for await (const landings of scan) {
        for (const { found, ...landing } of landings) {
          // What is announced of one table says nothing of another one that the source gets.
          const id = `${table}/${landing.id}`;
          const told = { ...landing, id, hash: landingHash(id), fingerprint: fingerprintOf(found) };
          listed.add(told.hash);
          if (this.#differs(told)) differing.push(told);
        }
        if (differing.length >= MOST_COLLECTED) await flush();
      }
    } catch (thrown) {
      if (!isScanError(thrown)) throw thrown;
      error = thrown;
    }
    await flush();
    // Paused while it scanned: what it has not announced yet is announced after the pause.
    if (isAborted(signal) || this.#isPaused || pauses > 0) return undefined;
    const lists = watched.scanner.lists ?? 'all';
    const known = countAnnouncements(this.#announcements);
    const isEmpty = listed.size === 0 && !skips.some(({ isUnfinished }) => isUnfinished);
    if (error === undefined && lists === 'all' && isEmpty && known > 0) error = this.#listsNothing(known);
    this.#tellOfAway(error);
    this.#tellOfSkips(skips);
    if (error === undefined && lists !== 'news')
      await this.#tellMissed(listed.missingOf(this.#announcements), signal);
    const refused = skips.filter(({ isUnfinished }) => !isUnfinished);
    const scan: Scan = {
      number,
      isComplete: error === undefined,
      hasListed: error === undefined || error instanceof PartlyAwayError,
      ...(error === undefined && watermark !== undefined ? { watermark } : {}),
      took: Math.round(performance.now() - began),
      listed: listed.size,
      skipped: refused.length,
      skips: refused.slice(0, SKIPS_REPORTED).map(({ path, reason }) => ({ path, reason })),
      ...(error === undefined ? {} : { error: describeAway(error) }),
      ...(requests.length === 0 ? {} : { requests }),
    };
    await tell({ type: 'scan-ended', source: this.name, scan });
    this.#scannedAt = began;
    return error;
  }

  #differs({ fingerprint, hash }: ToldLanding): boolean {
    const known = findAnnouncement(this.#announcements, hash);
    return known?.fingerprint !== fingerprint || known.unlistedSince !== null;
  }

  /**
   * In the order of the paths; very many bucket by bucket, or each step would write them all.
   *
   * @returns false: a pause has come between
   */
  async #tellOf(landings: readonly ToldLanding[], scan: number, signal: AbortSignal): Promise<boolean> {
    const announcements = this.#announcements;
    const inOrder = landings.length <= IN_A_STEP * 5 ? landings : byBucket(announcements, landings);
    for (let from = 0; from < inOrder.length; from += IN_A_STEP) {
      signal.throwIfAborted();
      if (this.#isPaused) return false;
      const some = inOrder.slice(from, from + IN_A_STEP);
      await this.#options.tell({ type: 'landings-found', source: this.name, scan, landings: some });
    }
    return true;
  }

  /** They are in the order of their buckets. One step with all of them would be one transaction, and hold up the client's loop. */
  async #tellMissed(missed: readonly LandingHash[], signal: AbortSignal): Promise<void> {
    for (let from = 0; from < missed.length; from += MISSED_IN_A_STEP) {
      signal.throwIfAborted();
      const some = missed.slice(from, from + MISSED_IN_A_STEP);
      await this.#options.tell({ type: 'landings-missed', source: this.name, missed: some });
    }
  }

  #listsNothing(known: number): SourceAwayError {
    const { place, ifEmpty = 'check the place' } = this.#options.watched.scanner;
    return new SourceAwayError(`${place} lists nothing`, {
      why: `${known === 1 ? '1 landing of it is' : `${known} landings of it are`} known: ${ifEmpty}`,
    });
  }

  /** Once for each reason, and once when it is over. */
  #tellOfAway(error: ScanError | undefined): void {
    const { message } = error ?? {};
    if (message !== this.#away) {
      const text =
        error === undefined
          ? `source ${this.name}: ${this.#options.watched.scanner.place} can be read again`
          : `source ${this.name}: ${describeAway(error)}`;
      this.#options.log({ event: 'notice', level: error === undefined ? 'info' : 'error', text });
    }
    this.#away = message;
  }

  /** Once for each path, and again when the reason is another one. Of very many the first ones, and how many more there are. */
  #tellOfSkips(skips: readonly Skip[]): void {
    const told = new Map<string, string>();
    let fresh = 0;
    for (const { path, reason, isUnfinished } of skips) {
      if (isUnfinished) continue;
      told.set(path, reason);
      if (this.#told.get(path) === reason) continue;
      fresh += 1;
      if (fresh <= SKIPS_TOLD) this.#warn(`${visible(path)} is skipped: ${visible(reason)}`);
    }
    const more = fresh - SKIPS_TOLD;
    if (more > 0)
      this.#warn(
        `${more} more ${more === 1 ? 'path is' : 'paths are'} skipped; to list them: hippo source scan ${this.name} --dry-run --json`,
      );
    this.#told = told;
  }

  #warn(text: string): void {
    this.#options.log({ event: 'notice', level: 'warning', text: `source ${this.name}: ${text}` });
  }

  /** Why `once` does not end yet: said once. */
  #tellOfSettling(): void {
    const unsettled = this.#options.state().sources.get(this.name)?.unsettled;
    if (this.#hasToldOfSettling || unsettled === undefined) return;
    this.#hasToldOfSettling = true;
    const { settle } = this.#options.watched.source;
    const until = unsettled.reduce((latest, { since }) => Math.max(latest, since + settle), 0);
    const what = unsettled.size === 1 ? '1 landing waits' : `${unsettled.size} landings wait`;
    const text = `source ${this.name}: ${what} until ${isoSecond(epochSeconds(until))} to settle (unchanged for ${formatDuration(settle)})`;
    this.#options.log({ event: 'notice', level: 'info', text });
  }
}

/** The hashes of what a scan has listed: 8 bytes each, because there may be a million. */
class Listed {
  #hashes = new BigUint64Array(1024);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(hash: LandingHash): void {
    if (this.#size === this.#hashes.length) {
      const larger = new BigUint64Array(this.#hashes.length * 2);
      larger.set(this.#hashes);
      this.#hashes = larger;
    }
    this.#hashes[this.#size] = asNumber(hash);
    this.#size += 1;
  }

  /** What is announced and was not listed. */
  missingOf(announcements: Announcements): LandingHash[] {
    const sorted = this.#hashes.subarray(0, this.#size).sort();
    const missing: LandingHash[] = [];
    eachAnnouncement(announcements, (hash) => {
      if (!includes(sorted, asNumber(hash))) missing.push(hash);
    });
    return missing;
  }
}

function asNumber({ high, low }: LandingHash): bigint {
  return (BigInt(high) << 32n) | BigInt(low);
}

function includes(sorted: BigUint64Array, wanted: bigint): boolean {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0n) < wanted) low = middle + 1;
    else high = middle;
  }
  return sorted[low] === wanted;
}

function byBucket(announcements: Announcements, landings: readonly ToldLanding[]): ToldLanding[] {
  const groups = Map.groupBy(landings, ({ hash }) => bucketOf(announcements, hash) ?? '');
  return [...groups.keys()].sort().flatMap((bits) => groups.get(bits) ?? []);
}
