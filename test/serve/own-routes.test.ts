import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ask, postJson } from '../http/app/support.ts';
import { type ModelFolder, newModelFolder, serves, startService } from './support.ts';

const V1 = '20260101T000000Z-000001';

async function withRoutes(source: string): Promise<ModelFolder> {
  const models = await newModelFolder();
  await models.write({ kind: 'classifier' });
  await models.point('iris', V1);
  await mkdir(join(models.folder, 'client-app'));
  await writeFile(join(models.folder, 'client-app', 'routes.mjs'), source);
  return models;
}

describe("a project's own routes", () => {
  it('are below their prefix, with the models, checked input and problems', async () => {
    const models = await withRoutes(`
      export default (app, { models }) => {
        app.get('/about/:name', ({ params }) => models.use(params.name, (model) => ({ version: model.version, kind: model.kind })));
        app.post('/sum', { schema: { body: { type: 'object', required: ['a'], properties: { a: { type: 'number' } } } } }, ({ body }) => body);
        app.get('/gone', () => { throw Object.assign(new Error('it has gone'), { statusCode: 410 }); });
        app.get('/fault', () => { throw new Error('secret'); });
      };`);
    const { url } = await startService(models, { serve: { prefix: '/shop' } });
    await serves(url, 'iris', V1);
    expect((await ask(`${url}/shop/about/iris`)).body).toEqual({ version: V1, kind: 'classifier' });
    expect((await ask(`${url}/shop/about/none`)).status).toBe(404);
    expect((await postJson(`${url}/shop/sum`, { a: '1' })).status).toBe(400);
    expect(await ask(`${url}/shop/gone`)).toMatchObject({
      status: 410,
      type: 'application/problem+json',
      body: { detail: 'it has gone' },
    });
    const fault = await ask(`${url}/shop/fault`);
    expect([fault.status, JSON.stringify(fault.body)]).toEqual([
      500,
      expect.not.stringContaining('secret') as string,
    ]);
    const { body } = await ask(`${url}/openapi.json`);
    expect(Object.keys((body as { paths: object }).paths)).toContain('/shop/about/{name}');
  });

  it('reach no other route with their hooks and error handlers', async () => {
    const models = await withRoutes(`
      export default (app) => {
        app.addHook('onRequest', async () => { throw new Error('no'); });
        app.setErrorHandler((error, request, reply) => reply.code(418).send('teapot'));
        app.setNotFoundHandler((request, reply) => reply.code(418).send('teapot'));
        app.get('/', () => 'never');
      };`);
    const { url } = await startService(models);
    await serves(url, 'iris', V1);
    expect((await ask(`${url}/app/`)).status).toBe(418);
    for (const path of ['/healthz', '/readyz', '/metrics', '/features/1,2,3,4/class', '/v2/health/live'])
      expect((await ask(`${url}${path}`)).status).toBe(200);
    expect((await ask(`${url}/nothing`)).status).toBe(404);
  });

  it.each([
    ['export default 5;', 'its default export is not a function'],
    ['export default () => { throw new Error("broken"); };', 'broken'],
    ['syntax error', ''],
    [
      'export default (app) => { app.get("/a", () => 1); app.get("/a", () => 2); };',
      "already declared for route '/app/a'",
    ],
  ])('that are broken end the start: %s', async (source, why) => {
    const models = await withRoutes(source);
    await expect(startService(models)).rejects.toMatchObject({
      message: 'the routes in client-app/routes.mjs cannot be used',
      why: expect.stringContaining(why) as string,
      exitCode: 2,
    });
  });
});
