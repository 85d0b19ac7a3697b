/**
 * Routes of this project, below /app, beside those of `hippo serve`, which loads this file when it starts and gives it a
 * Fastify 5. For the types in your editor: npm install --save-dev hippo-toolkit
 */
import type { OwnRoutes } from 'hippo-toolkit';

const MODEL = '[= model =]';
[%- if kind == 'classifier' %]
/** Below this probability a person should look. */
const SURE = 0.9;

export default ((app, { models }) => {
  // /app/verdict takes the features by their names: [% if example == 'iris' %]{"sepal_length": 5.1, …}[% else %]{"temperature": 78, "vibration": 4.6}[% endif %]
  app.post('/verdict', { schema: { summary: 'The class of one row, and whether the model is sure.', body: ROW } }, ({ body }) =>
    models.use(MODEL, (model) => {
      if (model.kind !== 'classifier') throw new Error(`${MODEL} is not a classifier`);
      const row = model.features.map((name) => (body as Record<string, number>)[name] ?? Number.NaN);
      const missing = model.features.filter((_, index) => Number.isNaN(row[index]));
      if (missing.length > 0) throw Object.assign(new Error(`no ${missing.join(', ')}`), { statusCode: 422 });
      return { ...verdictOf(model.classes, model.probabilities(row)), model_version: model.version };
    }),
  );
}) satisfies OwnRoutes;

const ROW = { type: 'object', additionalProperties: { type: 'number' } };

export function verdictOf(classes: readonly string[], probabilities: ArrayLike<number>) {
  const probability = Math.max(...Array.from(probabilities));
  return { class: classes[Array.from(probabilities).indexOf(probability)], probability, sure: probability >= SURE };
}
[%- else %]

export default ((app, { models }) => {
  // /app/users/1/next: the film to show to a user, and why.
  app.get('/users/:user/next', { schema: { summary: 'The film to show to a user.', params: USER } }, ({ params }) =>
    models.use(MODEL, (model) => {
      if (model.kind !== 'recommender') throw new Error(`${MODEL} is not a recommender`);
      const { user } = params as { user: string };
      return { ...nextOf(model.top(user, 1)), model_version: model.version };
    }),
  );
}) satisfies OwnRoutes;

const USER = { type: 'object', required: ['user'], properties: { user: { type: 'string' } } };

export function nextOf({ known, items }: { known: boolean; items: readonly { item: string }[] }) {
  const [best] = items;
  if (best === undefined) return { item: null, because: 'the user has rated every film' };
  return { item: best.item, because: known ? 'ratings of users like this one' : 'most users have rated it' };
}
[%- endif %]
