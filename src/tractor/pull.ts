import { topicName } from '../config/topics.ts';
import { InterruptedError } from '../core/errors.ts';
import { type JobFinish, parseFinish } from '../messages/index.ts';
import { knownHippos } from '../kafka/groups.ts';
import type { TopicPartitionOffset } from '../kafka/port.ts';
import { isOwnedGroup } from '../observe/index.ts';
import type { Outcome, PullTools, Stuck } from './recovery.ts';
import { type Request, requestRecord, sendRequests } from '../job/request.ts';

/**
 * Asks the hippos to run these again, and waits for the finish message of each whose hippo has a client.
 *
 * @returns an outcome for each, in their order
 * @throws InterruptedError when the signal is aborted; what was asked for runs all the same
 */
export async function pullRuns(stuck: readonly Stuck[], tools: PullTools): Promise<Outcome[]> {
  const { kafka, config, timeout } = tools;
  const requests = stuck.flatMap((item) => requestOf(item, tools));
  // The ends are read before the request is sent, so that no finish message is missed.
  const from = timeout === null ? [] : await ends(tools);
  await sendRequests(
    kafka,
    requests.map((request) => requestRecord(config, request)),
  );
  const outcomes = new Map<Request, Outcome>();
  const settle = (request: Request, result: Outcome['result'], finish?: JobFinish): void => {
    const outcome = outcomeOf(request, result, finish);
    outcomes.set(request, outcome);
    tools.onOutcome(outcome);
  };
  if (timeout === null) {
    for (const request of requests) settle(request, 'asked');
  } else {
    // Without a client nothing would come before the time is up.
    const owned = await ownedHippos(tools);
    for (const request of requests) if (!owned.has(request.hippo)) settle(request, 'no-client');
    const awaited = requests.filter(({ hippo }) => owned.has(hippo));
    await awaitFinishes(awaited, from, { ...tools, timeout }, (request, finish) =>
      settle(request, finish.isSuccess ? 'succeeded' : 'failed', finish),
    );
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

/** Reads finish messages until each request has its own, the time is up, or the signal is aborted. */
async function awaitFinishes(
  requests: readonly Request[],
  from: readonly TopicPartitionOffset[],
  { kafka, signal, timeout }: PullTools & { timeout: number },
  onFinish: (request: Request, finish: JobFinish) => void,
): Promise<void> {
  const open = new Set(requests);
  if (open.size === 0) return;
  const reader = await kafka.reader({ from });
  const close = (): void => void reader.close();
  const timer = setTimeout(close, timeout);
  signal.addEventListener('abort', close, { once: true });
  try {
    for await (const { records } of reader) {
      for (const { value } of records) {
        const parsed = value === null ? undefined : parseFinish(value);
        if (parsed?.ok !== true) continue;
        const request = [...open].find((candidate) => answers(parsed.message, candidate));
        if (request === undefined) continue;
        open.delete(request);
        onFinish(request, parsed.message);
      }
      if (open.size === 0) break;
    }
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', close);
    await reader.close();
  }
  if (signal.aborted) throw new InterruptedError(STANDS, { cause: signal.reason });
}

/** A finish that names no run answers for its job: the older clients name none. */
function answers({ hippoName, jobName, runKey }: JobFinish, { hippo, job, key }: Request): boolean {
  return hippoName === hippo && jobName === job && (key === null || runKey === undefined || runKey === key);
}

function outcomeOf({ hippo, job, key }: Request, result: Outcome['result'], finish?: JobFinish): Outcome {
  return {
    hippo,
    job,
    run_key: key,
    what: `${hippo}/${job}${key === null ? '' : ` ${key}`}`,
    result,
    job_id: finish?.jobId ?? null,
    duration: finish?.durationTime ?? null,
    error: finish?.errorMsg?.split('\n').find((line) => line.trim() !== '') ?? null,
  };
}
