/** What the machine decides for services: when they reload, and what they announce, each landing once. */
import { epochSeconds } from '../../core/clock.ts';
import { partitionPath, serialiseMessage } from '../../messages/index.ts';
import type { FrontierEvent, JobFinish, MessageRef } from '../../messages/types.ts';
import { parseJson } from '../../core/json.ts';
import {
  type Announcement,
  type AnnouncementChange,
  type LandingHash,
  findAnnouncement,
  hashKey,
  landingHash,
} from '../../state/index.ts';
import { type Definition, type ServiceDefinition, subjectOf } from './definition.ts';
import type { Draft } from './draft.ts';
import { traceFrom } from './trace.ts';
import type { AnnouncedLanding, ToldEvent } from './types.ts';

/** The services that reload on this message. */
export function reloadsOf(
  { reloads }: Definition,
  message: FrontierEvent | JobFinish,
): readonly ServiceDefinition[] {
  const listeners = reloads.get(subjectOf(message)) ?? [];
  const concerned = listeners.filter(({ need }) => need.landings(message).length > 0);
  return [...new Set(concerned.map(({ service }) => service))];
}

/** Notes the message: every client that runs the service tells it. Of several the service may see the last one only. */
export function reload(
  draft: Draft,
  service: ServiceDefinition,
  { message, from }: { message: FrontierEvent | JobFinish; from: MessageRef },
): void {
  const value = parseJson(serialiseMessage(message));
  draft.putService(service, { ...draft.service(service), reload: { at: draft.at, from, message: value } });
}

/**
 * Publishes what is new. Its exec_date is the time of the landing, not later than now, and later than the one before of the same
 * partition: consumers take an equal exec_date for a duplicate.
 */
export function takeEvents(draft: Draft, service: ServiceDefinition, events: readonly ToldEvent[]): void {
  const changes = new Map<string, AnnouncementChange>();
  const known = (hash: LandingHash): Announcement | undefined => {
    const change = changes.get(hashKey(hash));
    return change === undefined
      ? findAnnouncement(draft.source(service).announcements, hash)
      : (change.to ?? undefined);
  };
  const announced = new Map<string, AnnouncedLanding[]>();
  for (const event of events) {
    const { id, fingerprint } = event;
    const { db, table: own } = event;
    const table = `${db}.${own}`;
    const path = partitionPath(event.partition);
    const name = `${table} ${path}`.trimEnd();
    const ofId = landingHash(`id/${id}`);
    const before = known(ofId);
    if (before !== undefined) {
      if (before.fingerprint !== fingerprint)
        draft.notice(
          'warning',
          `${service.name} announced the id ${JSON.stringify(id)} before, with other content: ${name} is not published. ` +
            'What has landed again needs a new id',
        );
      continue;
    }
    const ofPartition = landingHash(`partition/${name}`);
    const landedAt = Math.max(0, Math.min(epochSeconds(event.landedAt), epochSeconds(draft.at)));
    const last = known(ofPartition);
    const execDate = last === undefined ? landedAt : Math.max(landedAt, last.execDate + 1);
    for (const hash of [ofId, ofPartition])
      changes.set(hashKey(hash), { hash, to: { fingerprint, execDate, unlistedSince: null } });
    draft.announce(
      eventOf(draft, service, event, execDate),
      traceFrom(`${draft.definition.identity}/${service.name}/${id}`),
    );
    announced.set(table, [...(announced.get(table) ?? []), { partition: path, execDate }]);
  }
  draft.changeAnnouncements(service, [...changes.values()]);
  for (const [table, landings] of announced) draft.announced(service.name, table, landings);
}

function eventOf(
  { definition }: Draft,
  { name, dialect, method: ofService }: ServiceDefinition,
  { db, table, partition, method = ofService, extra }: ToldEvent,
  execDate: number,
): FrontierEvent {
  return {
    kind: 'frontier',
    dialect,
    db,
    table,
    partitions: [partition],
    method,
    execDate,
    extra: { ...extra, announced_by: { hippo_name: definition.hippo, service: name } },
  };
}
