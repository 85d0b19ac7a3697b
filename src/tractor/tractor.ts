import type { Config } from '../config/schema.ts';
import { topicName } from '../config/topics.ts';
import { type HidingTransaction, hidingTransaction } from '../core/open-transaction.ts';
import { standingHoldUps } from '../kafka/hold-ups.ts';
import type { Kafka } from '../kafka/port.ts';
import { observe } from '../observe/index.ts';
import { recoveries } from './recoveries/index.ts';
import { type UnneededEvents, unneededEvents } from './recoveries/unanswered-trigger.ts';
import { type Outcome, type PullTools, type Recovery, type Scope, type Stuck, iso } from './recovery.ts';

/** One recovery's part of the plan. */
export interface PlanPart {
  recovery: Recovery['id'];
  title: string;
  stuck: Stuck[];
}

export interface TractorPlan {
  brokers: readonly string[];
  /** The hippos that were looked at; null: all. */
  hippos: string[] | null;
  /** ISO 8601: events before this were not read. */
  since: string;
  parts: PlanPart[];
  /** Events that sources have announced, that all hippos with jobs have read, and that none has used. Not stuck. */
  unneeded: UnneededEvents[];
  /** The number of records that could not be parsed. */
  unreadable: number;
  /** Open transactions that hide messages: what stands behind them was not looked at. */
  hidden: HidingTransaction[];
}

export interface TractorReport extends TractorPlan {
  /** The outcomes of the pulled runs; null: none was pulled. */
  pulled: Outcome[] | null;
}

export interface PlanOptions {
  scope: Scope;
  /** Milliseconds to look back. */
  lookBack: number;
  now: number;
}

/** Finds what is stuck. Changes nothing. */
export async function planRecovery(
  kafka: Kafka,
  config: Config,
  { scope, lookBack, now }: PlanOptions,
): Promise<TractorPlan> {
  const since = now - lookBack;
  const snapshot = await observe(kafka, config, { now, since });
  const roles = ['frontier', 'start', 'finish', 'schedule', 'state'] as const;
  const hiding = await standingHoldUps(
    kafka,
    roles.map((role) => topicName(config, role)),
  );
  return {
    brokers: kafka.brokers,
    hippos: scope === null ? null : [...scope],
    since: iso(since),
    parts: recoveries.map(({ id, title, plan }) => ({ recovery: id, title, stuck: plan(snapshot, scope) })),
    unneeded: unneededEvents(snapshot),
    unreadable: snapshot.unreadable,
    hidden: hiding.map((open) => hidingTransaction(open, kafka.brokers)),
  };
}

/** What of a plan `--pull` would do. */
export function pullable({ parts }: TractorPlan): Stuck[] {
  return parts.flatMap(({ stuck }) => stuck).filter(({ pull }) => pull);
}

/** Runs the recoveries of the plan that `--pull` can do, and returns their outcomes. */
export async function pull(plan: TractorPlan, tools: PullTools): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const recovery of recoveries) {
    const stuck = pullable(plan).filter(({ recovery: id }) => id === recovery.id);
    if (stuck.length > 0 && recovery.pull !== undefined)
      outcomes.push(...(await recovery.pull(stuck, tools)));
  }
  return outcomes;
}
