/** What the machine decides for services: when they reload, and what they announce, each landing once. */
import { partitionPath, serialiseMessage } from '../../messages/index.ts';
import type { HippoMessage, MessageRef } from '../../messages/types.ts';
import type { Arrived } from './arrival.ts';
import { parseJson } from '../../core/json.ts';
import {
  type Announcement,
  type AnnouncementChange,
  type LandingHash,
  findAnnouncement,
  hashKey,
  landingHash,
} from '../../state/index.ts';
import { eventOf, execDateOf } from './announcing.ts';
import { type Definition, type ServiceDefinition, subjectsOf } from './definition.ts';
import type { Draft } from './draft.ts';
import { landingsOf } from './landing.ts';
import { traceFrom } from './trace.ts';
import type { AnnouncedLanding, ToldEvent } from './types.ts';

/** The services that reload on this message. */
export function reloadsOf({ reloads }: Definition, arrived: Arrived): readonly ServiceDefinition[] {
  const listeners = subjectsOf(arrived.message).flatMap((subject) => reloads.get(subject) ?? []);
  const concerned = listeners.filter(({ need }) => landingsOf(need, arrived).length > 0);
  return [...new Set(concerned.map(({ service }) => service))];
}

/** A longer one is not kept in the state, which every client with the service reads. */
const LONGEST_MESSAGE = 65_536;

/** Notes the message: every client that runs the service tells it. Of several the service may see the last one only. */
export function reload(
  draft: Draft,
  service: ServiceDefinition,
  { message, from }: { message: HippoMessage; from: MessageRef },
): void {
  const text = serialiseMessage(message);
  const isTooLong = text.length > LONGEST_MESSAGE;
  if (isTooLong)
    draft.notice(
      'warning',
      `service ${service.name} is told to reload without the message, which has ${text.length} characters; at most ${LONGEST_MESSAGE} are passed on`,
    );
  const value = isTooLong ? null : parseJson(text);
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
  const differing: { id: string; name: string }[] = [];
  for (const event of events) {
    const { id, fingerprint } = event;
    const table = `${event.db}.${event.table}`;
    const path = partitionPath(event.partition);
    const name = `${table} ${path}`.trimEnd();
    const ofId = landingHash(`id/${id}`);
    const before = known(ofId);
    if (before !== undefined) {
      if (before.fingerprint !== fingerprint) differing.push({ id, name });
      continue;
    }
    const ofPartition = landingHash(`partition/${name}`);
    const execDate = execDateOf(event, known(ofPartition), draft.at);
    for (const hash of [ofId, ofPartition])
      changes.set(hashKey(hash), { hash, to: { fingerprint, execDate, unlistedSince: null } });
    draft.announce(
      eventOf(draft, { ...service, ...event, by: { service: service.name } }, execDate),
      traceFrom(`${draft.definition.identity}/${service.name}/${id}`),
    );
    announced.set(table, [...(announced.get(table) ?? []), { partition: path, execDate }]);
  }
  tellOfDiffering(draft, service, differing);
  draft.changeAnnouncements(service, [...changes.values()]);
  for (const [table, landings] of announced) draft.announced(service.name, table, landings);
}

/** One notice: a service that starts may repeat thousands. */
function tellOfDiffering(
  draft: Draft,
  { name: service }: ServiceDefinition,
  [first, ...more]: readonly { id: string; name: string }[],
): void {
  if (first === undefined) return;
  const others = more.length === 0 ? '' : `, and ${more.length} other${more.length === 1 ? '' : 's'},`;
  draft.notice(
    'warning',
    `${service} announced the id ${JSON.stringify(first.id)}${others} before, with other content: ${first.name} is not published. ` +
      'What has landed again needs a new id',
  );
}
