import { formatOffset } from '../../core/record-ref.ts';
import type { Jump, JumpCause, TopicPartition } from '../../kafka/port.ts';
import type { RunStatus } from '../../state/index.ts';

/** A run as log lines name it. */
export interface LoggedRun {
  job: string;
  run_key: string;
}

/** What happened in the client: a line for people, an object under `--json`. */
export type ClientEvent =
  | {
      event: 'started';
      hippo: string;
      pid: number;
      brokers: readonly string[];
      jobs: readonly string[];
      services: readonly string[];
      http: string | null;
    }
  | { event: 'standby'; group: string }
  /** This client owns the hippo; `runs` are remembered, `again` of them are run again, `orphans` (processes, and applications on YARN) were ended. */
  | { event: 'owner'; group: string; runs: number; again: number; orphans: number }
  | { event: 'lost'; reason: string }
  | { event: 'disconnected'; reason: string }
  | { event: 'connected' }
  /** A message that concerns this hippo, and the runs that it changed. */
  | {
      event: 'input';
      input: string;
      topic: string;
      partition: number;
      offset: string;
      runs: readonly (LoggedRun & { status: RunStatus })[];
    }
  /** A message that could not be read went to the dead-letter topic; `dlq` is null where that took no letter of it. */
  | {
      event: 'rejected';
      topic: string;
      partition: number;
      offset: string;
      reason: string;
      key?: string;
      dlq: string | null;
    }
  /** An input partition's position was not in its log: reading went on at `to`, without what was between. */
  | { event: 'gap'; topic: string; partition: number; from: string; to: string; cause: JumpCause }
  | ({ event: 'submitted'; job_id: string; attempt: number; pid: number; log: string } & LoggedRun)
  | ({
      event: 'ended';
      job_id: string;
      attempt: number;
      outcome: 'succeeded' | 'failed' | 'cancelled' | 'vetoed';
      exit_code: number | null;
      duration_ms: number;
      /** First line: what happened; then the tail of the job's log. */
      error?: string;
      /** ISO 8601: when the next attempt may start; left out when there is none. */
      next_attempt_at?: string;
      log: string;
    } & LoggedRun)
  | ({ event: 'finished'; job_id: string; is_success: boolean; duration_s: number } & LoggedRun)
  /** The run has succeeded, and the event of an output of its job is published. */
  | ({
      event: 'produced';
      job_id: string;
      /** `db.table` */
      table: string;
      /** `dt=2017-04-28/region=us`; empty for an unpartitioned table. */
      partition: string;
      /** Of the event, epoch seconds. */
      exec_date: number;
    } & LoggedRun)
  /** A source, or a service, has announced these landings, and an event of each is published. */
  | {
      event: 'announced';
      source: string;
      /** `db.table` */
      table: string;
      landings: readonly {
        /** `dt=2017-04-28/region=us`; empty for an unpartitioned table. */
        partition: string;
        /** Of the event, epoch seconds. */
        exec_date: number;
      }[];
    }
  | {
      event: 'notice';
      level: 'info' | 'warning' | 'error';
      text: string;
      job?: string;
      run_key?: string;
      service?: string;
    }
  | {
      event: 'service';
      service: string;
      status: 'started' | 'ready';
      pid: number;
      /** `$HIPPO_PORT`; null: it has none. */
      port: number | null;
      log: string;
    }
  /** A message with alerts was sent to a receiver: `alerts` of them were new to it. */
  | {
      event: 'delivered';
      receiver: string;
      outcome: 'taken' | 'refused' | 'busy' | 'failed';
      alerts: number;
      /** What the receiver said, one line. */
      answer: string;
      duration_ms: number;
    }
  /** Reports of landings are taken there. */
  | { event: 'listening'; source: string; url: string }
  | { event: 'stopping'; signal: string; running: number }
  | { event: 'stopped' };

export type ClientLog = (event: ClientEvent) => void;

export function gapEvent({ topic, partition }: TopicPartition, { from, to, cause }: Jump): ClientEvent {
  return { event: 'gap', topic, partition, from: formatOffset(from), to: formatOffset(to), cause };
}
