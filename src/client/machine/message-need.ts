/** Needs of messages of a topic, whatever they say: `{ topic: model, where: 'value.message == "BUILD_MODEL"' }`. */
import { type Json, JsonNumber, isJsonObject, parseJson } from '../../core/json.ts';
import { type HippoMessage, nameProblem, serialiseMessage } from '../../messages/index.ts';
import type { Calendar } from '../../windows/index.ts';
import type { WindowUnit } from '../../windows/units.ts';
import type { Arrived } from './arrival.ts';
import type { NeedCondition } from './condition.ts';
import { type Landing, type Need, topicSubject } from './definition.ts';
import type { CompiledNeed } from './compiled-need.ts';

type Role = HippoMessage['kind'];

/** A run ends with messages on these topics: without a condition it would start itself again, for ever. */
const LOOPS: readonly Role[] = ['start', 'finish', 'health', 'alert'];

/** A message has a version in milliseconds: two in one second are two. */
const SECOND = 1_000;

export function compileMessageNeed(
  role: Role,
  where: NeedCondition | undefined,
  { calendar, unit }: { calendar: Calendar; unit: WindowUnit | null },
): CompiledNeed {
  if (where === undefined && LOOPS.includes(role)) {
    const message = `without \`where\`, the messages on ${role} that its own runs and client cause would start it again and again`;
    const allowed = '`where` with a condition that those messages do not meet';
    return { ok: false, problems: [{ path: ['topic'], message, allowed }] };
  }
  const need: Need = {
    id: role,
    subject: topicSubject(role),
    dates: 'timestamp',
    ...(where === undefined ? {} : { where }),
    fixed: [],
    identifiesRun: true,
    landings: (arrived) => [landingOf(arrived, calendar, unit)],
    expects: ({ key }) => key,
  };
  return { ok: true, need };
}

/** With `every: event` each message is a run of its own; else it is of the window that holds its record's timestamp. */
function landingOf(arrived: Arrived, calendar: Calendar, unit: WindowUnit | null): Landing {
  const { timestamp, message, from } = arrived;
  const window = unit === null ? null : calendar.at(unit, timestamp);
  const key = window?.key ?? `${calendar.iso(timestamp)}-${from.partition}-${from.offset}`;
  return {
    value: key,
    values: valuesOf(message),
    slots: [{ key, window }],
    version: timestamp / SECOND,
  };
}

/** What templates can name of a message; more would make the run's record large. */
const MOST_VALUES = 32;
const MOST_CHARACTERS = 4_000;

/** The texts, numbers and booleans that the message has at its top, as far as each could be a value of a partition. */
function valuesOf(message: HippoMessage): Record<string, string> {
  const object = parseJson(serialiseMessage(message));
  if (!isJsonObject(object)) return {};
  const found: [string, string][] = [];
  let characters = 0;
  for (const [name, value] of Object.entries(object)) {
    const text = textOf(value);
    if (text === undefined || nameProblem(name) !== undefined || nameProblem(text) !== undefined) continue;
    characters += name.length + text.length;
    if (found.length === MOST_VALUES || characters > MOST_CHARACTERS) break;
    found.push([name, text]);
  }
  return Object.fromEntries(found);
}

/** Digits as they stand in the message. */
function textOf(value: Json): string | undefined {
  if (value instanceof JsonNumber) return value.text;
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}
