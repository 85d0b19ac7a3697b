import { expect, test } from 'vitest';
import { UserError } from '../../src/core/errors.ts';
import { jsonError, renderErrorReport, withoutTyped } from '../../src/ui/errors.ts';

const error = new UserError('there is no Kafka here', {
  next: ['hippo up', 'or hippo doctor kafka', 'hippo config    (says where the brokers come from)'],
});

test.each([
  ['hippo up', ['or hippo doctor kafka', 'hippo config    (says where the brokers come from)']],
  ['hippo doctor kafka', ['hippo up', 'hippo config    (says where the brokers come from)']],
  ['hippo config', ['hippo up', 'or hippo doctor kafka']],
  ['hippo up --no-spark', error.next],
  [undefined, error.next],
])('the command that was typed, %s, is no remedy', (typed, next) => {
  expect(withoutTyped(jsonError(error), typed).next).toEqual(next);
});

test('an error without a remedy that is left still says what failed', () => {
  const report = withoutTyped(jsonError(new UserError('no', { next: ['hippo up'] })), 'hippo up');
  expect(renderErrorReport(report)).toBe('✗ no');
});
