import { expect, it, vi } from 'vitest';
import { ServiceTelling } from '../../../../src/client/host/services/telling.ts';
import type { ServiceTold } from '../../../../src/client/machine/index.ts';

const said = (condition: ServiceTold['condition']): ServiceTold => ({
  service: 'api',
  condition,
  text: condition,
});

/** Who is told, and answers when the test says so. */
function listener(): {
  telling: ServiceTelling;
  asked: string[];
  answers: PromiseWithResolvers<undefined>[];
} {
  const [asked, answers]: [string[], PromiseWithResolvers<undefined>[]] = [[], []];
  const telling = new ServiceTelling(({ condition }) => {
    const answer = Promise.withResolvers<undefined>();
    asked.push(condition);
    answers.push(answer);
    return answer.promise.then(() => undefined);
  });
  return { telling, asked, answers };
}

it('is said until it is remembered, and then once more only when it is asked for', async () => {
  const { telling, asked, answers } = listener();
  telling.say(said('gave-up'));
  answers[0]?.reject(new Error('reading has stopped'));
  await vi.waitFor(() => expect(asked).toHaveLength(2), 5_000);
  answers[1]?.resolve(undefined);
  await new Promise((resolve) => setImmediate(resolve));
  expect(asked).toEqual(['gave-up', 'gave-up']);
  telling.again();
  expect(asked).toHaveLength(3);
});

it('is the last word only', async () => {
  const { telling, asked, answers } = listener();
  telling.say(said('crash-loop'));
  telling.say(said('gave-up'));
  telling.say(said('fine'));
  answers[0]?.resolve(undefined);
  await vi.waitFor(() => expect(asked).toEqual(['crash-loop', 'fine']));
  telling.forget();
  answers[1]?.reject(new Error('reading has stopped'));
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  telling.again();
  expect(asked).toHaveLength(2);
  telling.close();
});
