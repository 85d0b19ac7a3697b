import { dlqName, inputRoles, topicName } from '../config/topics.ts';
import type { Config, TopicRole } from '../config/schema.ts';
import type { MessageKind } from '../messages/index.ts';
import { UserError } from '../core/errors.ts';
import { listed } from '../core/listed.ts';
import { didYouMean } from '../core/near.ts';

/** The roles of topics; `dlq`: all dead-letter topics. */
export const TOPIC_WORDS = [
  'frontier',
  'start',
  'finish',
  'schedule',
  'health',
  'alert',
  'model',
  'state',
  'dlq',
] as const;

/** Shown when no topic is named: what happens, without the clients' own state. */
const WITHOUT_NAMES = ['frontier', 'start', 'finish', 'schedule', 'health', 'alert', 'model', 'dlq'] as const;

/** The kind of message that each topic of hippo.yaml carries. */
export function topicKinds(config: Config): Map<string, MessageKind> {
  const roles = ['frontier', 'start', 'finish', 'schedule', 'health', 'alert', 'model'] as const;
  return new Map(roles.map((role) => [topicName(config, role), role]));
}

const DLQ = '.dlq';

export interface TopicWish {
  /** Role words or names; empty: the hippo topics. */
  names: readonly string[];
  /** All topics whose name this matches, in addition. */
  pattern?: string | undefined;
}

/**
 * The topics to read, in the order in which they were asked for. A role word stands for the topic that hippo.yaml gives
 * that role, with `.dlq` for its dead letters; write its full name where a topic is called like a role.
 *
 * @param existing the names of all topics of the cluster
 * @throws UserError for a name that does not exist, with near misses
 */
export function selectTopics(config: Config, existing: readonly string[], wish: TopicWish): string[] {
  const there = new Set(existing);
  if (wish.names.length === 0 && wish.pattern === undefined) {
    const chosen = WITHOUT_NAMES.flatMap((word) => topicsOf(word, config, existing)).filter((name) =>
      there.has(name),
    );
    if (chosen.length > 0) return chosen;
    throw new UserError('none of the hippo topics exists here', {
      why: `Looked for ${topicName(config, 'frontier')}, ${topicName(config, 'start')}, … (topics in hippo.yaml).`,
      next: ['hippo up', 'hippo tail TOPIC'],
    });
  }
  const named = wish.names.flatMap((word) => namedTopics(word, config, existing, there));
  const matching = wish.pattern === undefined ? [] : matchingTopics(wish.pattern, existing);
  return [...new Set([...named, ...matching])];
}

function namedTopics(
  word: string,
  config: Config,
  existing: readonly string[],
  there: ReadonlySet<string>,
): string[] {
  const role = TOPIC_WORDS.find((known) => known === word);
  const names =
    role === 'dlq'
      ? topicsOfDeadLetters(config, existing)
      : role !== undefined
        ? topicsOf(role, config, existing)
        : [there.has(word) ? word : (deadLettersOf(word, config) ?? word)];
  for (const name of names) {
    if (there.has(name)) continue;
    throw new UserError(`topic ${name} does not exist`, {
      why: didYouMean(word, [...TOPIC_WORDS, ...existing.filter((topic) => !topic.startsWith('__'))]),
      next:
        role === undefined
          ? ['hippo tail --regex . --count', 'hippo tail --help']
          : ['hippo up', `hippo tail TOPIC`],
    });
  }
  return names;
}

function topicsOf(word: (typeof TOPIC_WORDS)[number], config: Config, existing: readonly string[]): string[] {
  if (word !== 'dlq') return [topicName(config, word satisfies TopicRole)];
  return existing.filter((name) => name.startsWith(config.topics.prefix) && name.endsWith(DLQ)).sort();
}

/**
 * The dead-letter topics of these topics.
 *
 * @param words topics, roles or dead-letter topics; empty: all of the project
 * @throws UserError for a topic without dead letters, with near misses
 */
export function deadLetterTopics(
  config: Config,
  existing: readonly string[],
  words: readonly string[],
): string[] {
  if (words.length === 0) return topicsOfDeadLetters(config, existing);
  return [...new Set(words.flatMap((word) => deadLettersFor(word, config, existing)))];
}

function deadLettersFor(word: string, config: Config, existing: readonly string[]): string[] {
  if (word === 'dlq') return topicsOfDeadLetters(config, existing);
  const isNamed = word.endsWith(DLQ);
  if (isNamed && existing.includes(word)) return [word];
  const home = isNamed ? word.slice(0, -DLQ.length) : word;
  const name = deadLettersOf(home + DLQ, config) ?? dlqName(home);
  if (existing.includes(name)) return [name];
  const isMissing = inputRoles(config).some((role) => role === home);
  const homes = existing.filter((topic) => topic.endsWith(DLQ)).map((topic) => topic.slice(0, -DLQ.length));
  throw new UserError(`there is no dead-letter topic ${name}`, {
    why: isMissing
      ? undefined
      : (didYouMean(home, [...inputRoles(config), ...homes]) ??
        `Hippos reject messages of these topics: ${listed(inputRoles(config))}.`),
    next: [
      ...(isMissing ? ['hippo up    (creates the topics of hippo.yaml)'] : []),
      'hippo replay --dry-run    (lists all rejected messages)',
    ],
  });
}

function topicsOfDeadLetters(config: Config, existing: readonly string[]): string[] {
  const names = topicsOf('dlq', config, existing);
  if (names.length > 0) return names;
  throw new UserError('there is no dead-letter topic here', { next: ['hippo up'] });
}

/** `frontier.dlq`, as the lines of hippo tail call it. */
function deadLettersOf(word: string, config: Config): string | undefined {
  const role = TOPIC_WORDS.find((known) => known !== 'dlq' && word === known + DLQ);
  return role === undefined ? undefined : topicName(config, role as TopicRole) + DLQ;
}

function matchingTopics(pattern: string, existing: readonly string[]): string[] {
  let expression: RegExp;
  try {
    expression = new RegExp(pattern);
  } catch (error) {
    throw new UserError(`--regex ${pattern} is not a valid regular expression`, {
      why: error instanceof Error ? error.message : undefined,
    });
  }
  const matches = existing.filter((name) => !name.startsWith('__') && expression.test(name)).sort();
  if (matches.length > 0) return matches;
  throw new UserError(`no topic matches --regex ${pattern}`, { next: [`hippo tail --regex . --count`] });
}
