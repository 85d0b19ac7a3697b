import { topicName } from '../config/topics.ts';
import { isAborted } from '../core/abort.ts';
import { systemClock } from '../core/clock.ts';
import { InterruptedError } from '../core/errors.ts';
import { type RecordRef, recordId } from '../core/record-ref.ts';
import { type JobFinish, parseFinish } from '../messages/index.ts';
import { knownHippos } from '../kafka/groups.ts';
import type { TopicPartitionOffset } from '../kafka/port.ts';
import { type KnownRun, type Snapshot, isOwnedGroup, observe, whyGone } from '../observe/index.ts';
import { LOOK } from '../trigger/following.ts';
import { Watch } from '../trigger/wait.ts';
import type { Outcome, PullTools, Stuck } from './recovery.ts';
import { type Request, requestRecord, sendRequests } from '../job/request.ts';

/**
 * Asks the hippos to run these again, and waits for the finish message of each whose hippo has a client. A request that its
 * hippo refuses is not waited for.
 *
 * @returns an outcome for each, in their order
 * @throws InterruptedError when the signal is aborted; what was asked for runs all the same
 */
export async function pullRuns(stuck: readonly Stuck[], tools: PullTools): Promise<Outcome[]> {
  const { kafka, config, timeout } = tools;
  const requests = stuck.flatMap((item) => requestOf(item, tools));
  const outcomes = new Map<Request, Outcome>();
  const settle = (request: Request, result: Outcome['result'], more: Known = {}): void => {
    const outcome = outcomeOf(request, result, more);
    outcomes.set(request, outcome);
    tools.onOutcome(outcome);
  };
  const records = requests.map((request) => requestRecord(config, request));
  if (timeout === null) {
    await sendRequests(kafka, records);
    for (const request of requests) settle(request, 'asked');
  } else {
    // The ends are read before the request is sent, so that no finish message is missed.
    const from = await ends(tools);
    const watch = await Watch.open({ kafka, config, clock: systemClock, onChange: () => undefined });
    try {
      const refs = await sendRequests(kafka, records);
      // Without a client nothing would come before the time is up.
      const owned = await ownedHippos(tools);
      for (const request of requests) if (!owned.has(request.hippo)) settle(request, 'no-client');
      const awaited = new Awaited(
        requests.filter(({ hippo }) => owned.has(hippo)),
        settle,
        { ...tools, timeout },
      );
      const sent = new Map(requests.map((request, index) => [request, refs[index]]));
      await Promise.all([awaited.finishes(from), awaited.refusals(watch, sent)]);
    } finally {
      await watch.close();
    }
    for (const request of requests) if (!outcomes.has(request)) settle(request, 'timed-out');
  }
  return requests.flatMap((request) => outcomes.get(request) ?? []);
}

/** The hippos that have a client now. */
async function ownedHippos({ kafka, config }: PullTools): Promise<ReadonlySet<string>> {
  const hippos = await knownHippos(kafka, config);
  return new Set(hippos.filter(({ info }) => isOwnedGroup(info)).map(({ hippo }) => hippo));
}

function requestOf({ hippo, job, run_key: key }: Stuck, { by, reason }: PullTools): Request[] {
  return hippo === null || job === null ? [] : [{ hippo, job, key, action: 'run', by, reason }];
}

const STANDS = 'interrupted; the runs that were asked for continue';

async function ends({ kafka, config }: PullTools): Promise<TopicPartitionOffset[]> {
  const topic = topicName(config, 'finish');
  return (await kafka.offsets(topic)).map(({ partition, high }) => ({ topic, partition, offset: high }));
}

type Settle = (request: Request, result: 'succeeded' | 'failed' | 'refused', more: Known) => void;

/** The requests whose outcome is waited for until each has one, the time is up, or the signal is aborted. */
class Awaited {
  readonly #open: Set<Request>;
  readonly #settle: Settle;
  readonly #tools: PullTools & { timeout: number };
  readonly #over = new AbortController();

  constructor(requests: readonly Request[], settle: Settle, tools: PullTools & { timeout: number }) {
    this.#open = new Set(requests);
    this.#settle = settle;
    this.#tools = tools;
    if (requests.length === 0) this.#over.abort();
  }

  /** Reads finish messages. */
  async finishes(from: readonly TopicPartitionOffset[]): Promise<void> {
    if (this.#over.signal.aborted) return;
    const { kafka, signal, timeout } = this.#tools;
    const reader = await kafka.reader({ from });
    const end = (): void => this.#over.abort();
    const timer = setTimeout(end, timeout);
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    const close = (): void => void reader.close();
    this.#over.signal.addEventListener('abort', close, { once: true });
    if (isAborted(this.#over.signal)) close();
    try {
      for await (const { records } of reader) {
        for (const { value } of records) {
          const parsed = value === null ? undefined : parseFinish(value);
          if (parsed?.ok !== true) continue;
          const finish = parsed.message;
          const request = [...this.#open].find((candidate) => answers(finish, candidate));
          if (request !== undefined)
            this.#close(request, finish.isSuccess ? 'succeeded' : 'failed', { finish });
        }
      }
    } finally {
      end();
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      await reader.close();
    }
    if (signal.aborted) throw new InterruptedError(STANDS, { cause: signal.reason });
  }

  /**
   * Finds the requests that their hippo has read and that have started nothing. Of hippos without a state (the older clients) it is
   * not known what a request has started.
   *
   * @param sent the record of each request
   */
  async refusals(watch: Watch, sent: ReadonlyMap<Request, RecordRef | undefined>): Promise<void> {
    const unknown = new Set<Request>();
    const open = (): [Request, RecordRef][] =>
      [...this.#open].flatMap((request): [Request, RecordRef][] => {
        const ref = sent.get(request);
        return ref === undefined || unknown.has(request) ? [] : [[request, ref]];
      });
    watch.follow(open().map(([, ref]) => ref));
    const wake = (): void => watch.wake();
    this.#over.signal.addEventListener('abort', wake);
    while (!this.#over.signal.aborted && open().length > 0) {
      const { standings, complete } = await watch.look();
      const isRefused = ([, ref]: [Request, RecordRef]): boolean => {
        const standing = standings.get(recordId(ref));
        return complete && standing?.phase === 'ended' && standing.runs === 0;
      };
      const refused = open().filter(isRefused);
      const state = refused.length === 0 ? null : await this.#snapshot();
      for (const [request] of refused) {
        if (state?.jobs.has(request.hippo) !== true) unknown.add(request);
        else this.#close(request, 'refused', { error: whyRefused(request, state) });
      }
      if (!isAborted(this.#over.signal)) await watch.rest(LOOK);
    }
    this.#over.signal.removeEventListener('abort', wake);
  }

  #snapshot(): Promise<Snapshot> {
    const now = Date.now();
    return observe(this.#tools.kafka, this.#tools.config, { now, since: now });
  }

  #close(request: Request, result: 'succeeded' | 'failed' | 'refused', more: Known): void {
    if (!this.#open.delete(request)) return;
    this.#settle(request, result, more);
    if (this.#open.size === 0) this.#over.abort();
  }
}

/** The client's log has the hippo's own words; its state shows the usual reasons. */
function whyRefused({ hippo, job, key }: Request, snapshot: Snapshot): string {
  const isIt = ({ hippo: of, run }: KnownRun): boolean => of === hippo && run.job === job && run.key === key;
  if (snapshot.runs.find(isIt)?.run.status === 'running') return 'it is running already';
  const gone = key === null ? undefined : whyGone(snapshot, hippo, { job, key });
  if (gone !== undefined) return gone.text;
  return `the reason is in the log of the client of ${hippo}`;
}

/** A finish that names no run answers for its job: the older clients name none. */
function answers({ hippoName, jobName, runKey }: JobFinish, { hippo, job, key }: Request): boolean {
  return hippoName === hippo && jobName === job && (key === null || runKey === undefined || runKey === key);
}

/** What is known of an outcome. */
interface Known {
  finish?: JobFinish;
  error?: string;
}

function outcomeOf(
  { hippo, job, key }: Request,
  result: Outcome['result'],
  { finish, error = finish?.errorMsg }: Known,
): Outcome {
  return {
    hippo,
    job,
    run_key: key,
    what: `${hippo}/${job}${key === null ? '' : ` ${key}`}`,
    result,
    job_id: finish?.jobId ?? null,
    duration: finish?.durationTime ?? null,
    error: error?.split('\n').find((line) => line.trim() !== '') ?? null,
  };
}
