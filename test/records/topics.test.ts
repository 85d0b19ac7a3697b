import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/schema.ts';
import { deadLetterTopics, selectTopics, topicKinds } from '../../src/records/topics.ts';

const config = parseConfig({ topics: { prefix: 'uat-' } });
const existing = [
  '__consumer_offsets',
  'orders',
  'uat-frontier-adw',
  'uat-frontier-adw.dlq',
  'uat-hippo-finish',
  'uat-hippo-finish.dlq',
  'uat-hippo-start',
  'uat-hippo-state',
];

describe('the topics that are read', () => {
  it.each<[string, string[], string | undefined, string[]]>([
    [
      'nothing said: the hippo topics that exist, without state',
      [],
      undefined,
      [
        'uat-frontier-adw',
        'uat-hippo-start',
        'uat-hippo-finish',
        'uat-frontier-adw.dlq',
        'uat-hippo-finish.dlq',
      ],
    ],
    ['what a topic is for', ['finish'], undefined, ['uat-hippo-finish']],
    ['dead letters', ['dlq'], undefined, ['uat-frontier-adw.dlq', 'uat-hippo-finish.dlq']],
    ['dead letters of one', ['finish.dlq'], undefined, ['uat-hippo-finish.dlq']],
    ['names', ['orders', 'uat-hippo-state'], undefined, ['orders', 'uat-hippo-state']],
    ['an internal one, by its name', ['__consumer_offsets'], undefined, ['__consumer_offsets']],
    ['a pattern', [], 'hippo-st', ['uat-hippo-start', 'uat-hippo-state']],
    ['a name and a pattern, each topic once', ['start'], 'hippo-st', ['uat-hippo-start', 'uat-hippo-state']],
  ])('%s', (_, names, pattern, expected) => {
    expect(selectTopics(config, existing, { names, pattern })).toEqual(expected);
  });

  it.each<[string, string[], string | undefined, object]>([
    [
      'a name that is near another',
      ['order'],
      undefined,
      { message: 'topic order does not exist', why: 'Did you mean orders?' },
    ],
    [
      'a use whose topic is not there',
      ['schedule'],
      undefined,
      { message: 'topic uat-hippo-schedule does not exist' },
    ],
    ['a pattern that matches internal topics only', [], '^__', { message: 'no topic matches --regex ^__' }],
    ['an invalid pattern', [], '(', { message: '--regex ( is not a valid regular expression' }],
  ])('is refused: %s', (_, names, pattern, error) => {
    expect(() => selectTopics(config, existing, { names, pattern })).toThrow(
      expect.objectContaining({ exitCode: 2, ...error }) as Error,
    );
  });

  it('cannot be chosen if no hippo topic exists', () => {
    expect(() => selectTopics(config, ['orders'], { names: [] })).toThrow(
      'none of the hippo topics exists here',
    );
  });
});

describe('the dead-letter topics that are replayed', () => {
  it.each<[string, string[], string[]]>([
    ['all, if none is named', [], ['uat-frontier-adw.dlq', 'uat-hippo-finish.dlq']],
    ['all, by the word dlq', ['dlq'], ['uat-frontier-adw.dlq', 'uat-hippo-finish.dlq']],
    ['that of a role', ['finish'], ['uat-hippo-finish.dlq']],
    ['that of a role, as hippo tail names it', ['finish.dlq'], ['uat-hippo-finish.dlq']],
    ['that of a topic', ['uat-frontier-adw'], ['uat-frontier-adw.dlq']],
    ['one by its own name, each once', ['uat-frontier-adw.dlq', 'frontier'], ['uat-frontier-adw.dlq']],
  ])('are %s', (_, words, expected) => {
    expect(deadLetterTopics(config, existing, words)).toEqual(expected);
  });

  const ALL = 'hippo replay --dry-run    (lists all rejected messages)';

  it.each<[string, object]>([
    [
      'nosuch',
      {
        message: 'there is no dead-letter topic nosuch.dlq',
        why: 'Hippos reject messages of these topics: frontier, finish, schedule.',
        next: [ALL],
      },
    ],
    ['orders.dlq', { message: 'there is no dead-letter topic orders.dlq', next: [ALL] }],
    ['finsh', { why: 'Did you mean finish?', next: [ALL] }],
    ['start', { message: 'there is no dead-letter topic uat-hippo-start.dlq', next: [ALL] }],
    [
      'schedule',
      {
        message: 'there is no dead-letter topic uat-hippo-schedule.dlq',
        why: undefined,
        next: ['hippo up    (creates the topics of hippo.yaml)', ALL],
      },
    ],
  ])('%s has none: the error speaks of replay', (word, error) => {
    expect(() => deadLetterTopics(config, existing, [word])).toThrow(
      expect.objectContaining({ exitCode: 2, ...error }) as Error,
    );
  });
});

describe('the kind of message of a topic', () => {
  it('is that of its role in hippo.yaml', () => {
    expect([...topicKinds(config)]).toContainEqual(['uat-hippo-finish', 'finish']);
  });
});
