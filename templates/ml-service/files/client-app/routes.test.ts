import assert from 'node:assert/strict';
import { test } from 'node:test';
[% if kind == 'classifier' -%]
import { verdictOf } from './routes.ts';

test('the class is the one with the largest probability', () => {
  assert.deepEqual(verdictOf(['fine', 'worn'], [0.04, 0.96]), { class: 'worn', probability: 0.96, sure: true });
});

test('below the limit the model is not sure', () => {
  assert.deepEqual(verdictOf(['fine', 'worn'], [0.6, 0.4]), { class: 'fine', probability: 0.6, sure: false });
});
[%- else -%]
import { nextOf } from './routes.ts';

const items = [{ item: '92' }];

test('a user with ratings gets the best of the other films', () => {
  assert.deepEqual(nextOf({ known: true, items }), { item: '92', because: 'ratings of users like this one' });
});

test('an unknown user gets a popular film', () => {
  assert.deepEqual(nextOf({ known: false, items }), { item: '92', because: 'most users have rated it' });
});

test('a user who has rated every film gets none', () => {
  assert.equal(nextOf({ known: true, items: [] }).item, null);
});
[%- endif %]
