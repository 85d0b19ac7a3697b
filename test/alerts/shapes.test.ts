import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Receiver } from '../../src/alerts/index.ts';
import { AT, deliveryOf, receivers } from './receivers.ts';

const bodyTo = (settings: object, ...alerts: Parameters<typeof deliveryOf>): unknown => {
  const [receiver] = receivers({ r: settings }) as [Receiver];
  const message = receiver.message(deliveryOf(...alerts));
  return 'post' in message ? JSON.parse(message.post.body) : message.mail;
};
const EVIL = '<!channel> & [x](http://evil) "}\n\u202e';

it('Slack gets blocks in which nothing of a value is markup', () => {
  expect(bodyTo({ slack: { url: 'https://h/x' } }, { text: EVIL, next: [] })).toEqual({
    text: 'etl: &lt;!channel&gt; &amp; [x](http://evil) "}\\n\\u202e',
    blocks: [
      {
        type: 'header',
        text: { type: 'plain_text', text: 'etl: <!channel> & [x](http://evil) "}\\n\\u202e', emoji: false },
      },
      {
        type: 'section',
        text: {
          type: 'mrkdwn',
          text: '▲ &lt;!channel&gt; &amp; [x](http://evil) "}\\n\\u202e\n_failed, since 2026-06-12 11:59 +02:00_',
          verbatim: true,
        },
      },
    ],
  });
});

it('Slack and Teams get messages within their limits, however many alerts there are', () => {
  const many = Array.from({ length: 500 }, (_, index) => ({
    subject: `job${index}`,
    text: '<'.repeat(2_000),
  }));
  const { blocks } = bodyTo({ slack: { url: 'https://h/x' } }, ...many) as {
    blocks: { text: { text: string } }[];
  };
  expect(blocks.length).toBeLessThanOrEqual(50);
  for (const { text } of blocks) expect(text.text.length).toBeLessThanOrEqual(3_000);
  expect(blocks.at(-1)?.text.text).toBe('and 480 more: hippo alerts list');
  const card = bodyTo(
    { teams: { url: 'https://h/x' } },
    ...many.map((each) => ({ ...each, text: '漢'.repeat(2_000) })),
  );
  expect(Buffer.byteLength(JSON.stringify(card))).toBeLessThan(28_000);
  expect(JSON.stringify(card)).toContain('and more: hippo alerts list');
});

it('Alertmanager gets the same labels for an alert at all times, and its end where none fires with them', () => {
  const settings = { alertmanager: { url: 'http://am:9093/' } };
  const over = { state: 'resolved', resolvedAt: AT - 1_000, next: [] } as const;
  const labels = {
    alertname: 'hippo-failed',
    hippo: 'etl',
    condition: 'failed',
    subject: 'load',
    run_key: '2017-04-28',
  };
  expect(bodyTo(settings, { next: [] })).toEqual([
    {
      labels,
      annotations: { summary: 'load 2017-04-28 has failed: exit code 3' },
      startsAt: '2026-06-12T09:59:00.000Z',
      endsAt: '2026-06-12T10:05:00.000Z',
    },
  ]);
  expect(bodyTo(settings, over)).toMatchObject([{ labels, endsAt: '2026-06-12T09:59:59.000Z' }]);
  expect(bodyTo(settings, over, {})).toHaveLength(1);
});

it('no value breaks out of the template of a webhook', () => {
  const body =
    '{"t": {{ text }}, "n": {{ alerts | size }}, "a": [{% for a in alerts %}{{ a.text | json }},{% endfor %}null]}';
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const got = bodyTo({ webhook: { url: 'http://h', body } }, { text }) as { t: string; a: unknown[] };
      expect(Object.keys(got)).toEqual(['t', 'n', 'a']);
      expect(got.a).toEqual([text, null]);
    }),
    { numRuns: 50 },
  );
});

it.each([
  ['{"t": {{ tekst }}}', /unknown name "tekst"/],
  ['{"t": "{{ text }}"}', /does not come to JSON/],
  ['{"t": {{ text | raw }}}', /raw would write/],
  ['{"t": {{ text | nope }}}', /undefined filter: nope/],
  ['{% include "x" %}', /tag "include" not found/],
  ['{"t": {{ text }', /not closed/],
])('a template such as %s is refused when the file is read', (body, problem) => {
  expect(() => receivers({ hook: { webhook: { url: 'http://h', body } } })).toThrow(problem);
});
