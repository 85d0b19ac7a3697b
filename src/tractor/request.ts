import { hostname, userInfo } from 'node:os';
import { newTraceparent } from '../core/ids.ts';
import { topicName } from '../config/topics.ts';
import type { Config } from '../config/schema.ts';
import type { Kafka } from '../kafka/port.ts';
import { type ScheduleAction, serialiseSchedule } from '../messages/index.ts';
import type { Place } from './snapshot.ts';

/** What an operator asks of a hippo. */
export interface Request {
  hippo: string;
  job: string;
  action: ScheduleAction;
  /** null: the run of the present window. */
  key: string | null;
  by: string;
  reason: string | null;
}

/** A request that the broker has acknowledged. */
export interface SentRequest extends Request {
  place: Place;
  traceparent: string;
}

/** Who asks, as the hippo remembers it: `user@host`. */
export function operator(): string {
  return `${userInfo().username}@${hostname()}`;
}

/** Publishes the requests on the schedule topic, by hippo: what one hippo is asked, it is asked in this order. */
export async function sendRequests(
  kafka: Kafka,
  config: Config,
  requests: readonly Request[],
): Promise<SentRequest[]> {
  const topic = topicName(config, 'schedule');
  const traced = requests.map((request) => ({ ...request, traceparent: newTraceparent() }));
  const producer = await kafka.producer();
  try {
    const places = await producer.send(
      traced.map(({ hippo, job, action, key, by, reason, traceparent }) => ({
        topic,
        key: hippo,
        value: serialiseSchedule({
          kind: 'schedule',
          hippoName: hippo,
          jobName: job,
          action,
          ...(key !== null && { runKey: key }),
          by,
          ...(reason !== null && { reason }),
          extra: {},
        }),
        headers: { traceparent },
      })),
    );
    return traced.map((request, index) => {
      const place = places[index];
      return {
        ...request,
        place: { topic, partition: place?.partition ?? -1, offset: String(place?.offset ?? -1) },
      };
    });
  } finally {
    await producer.close();
  }
}
