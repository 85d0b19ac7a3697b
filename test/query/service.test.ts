/** A query service over HTTP: answers, forms, pages, data versions. */
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { duckdb } from '../support/duckdb.ts';
import { type Service, ORDERS, eventOf, newProject, ordersOf, ordersProject } from './support.ts';

const idsOf = async (service: Service, path = '/orders'): Promise<unknown[]> =>
  ((await service.get(path)).body.rows ?? []).map(({ id }) => id);

describe('an answer', () => {
  it('has what is there at the first start, by its parameters', async () => {
    const service = await (await ordersProject()).start();
    const { status, body, headers } = await service.get('/orders?day=2026-01-02');
    expect(status).toBe(200);
    expect(body.rows?.[1]).toEqual({ id: 6, dt: '2026-01-02', customer: 'c1', amount: '1.25' });
    expect(body).toMatchObject({ next: null, data_version: headers.get('hippo-data-version') });
    expect(await idsOf(service)).toHaveLength(8);
  });

  it.each([
    ['/orders?day=2026-02-30', 'query /day must be a date such as 2026-01-31'],
    ['/orders?day=2026-01-01&day=2026-01-02', 'query /day must be given once'],
    ["/orders?day=2026-01-01'%20OR%201=1--", 'query /day must be a date such as 2026-01-31'],
    ['/orders?other=1', 'query /other is not known'],
    ['/orders?limit=0', 'query /limit must be a whole number from 1 to 1000'],
    ['/orders?limit=1001', 'query /limit must be a whole number from 1 to 1000'],
    ['/orders?cursor=abc.def', 'query /cursor is not a cursor of this route with these parameters'],
  ])('to %s is 400', async (path, detail) => {
    const service = await (await ordersProject()).start();
    expect(await service.get(path)).toMatchObject({ status: 400, body: { detail } });
  });

  it('is CSV or Parquet where the request takes that, and 406 for what there is not', async () => {
    const project = await ordersProject();
    const service = await project.start();
    const csv = await service.get('/orders?limit=1', { accept: 'text/csv, application/json;q=0.5' });
    expect(csv.text).toBe('id,dt,customer,amount\r\n1,2026-01-01,c0,0.00\r\n');
    expect(csv.headers.get('link')).toMatch(/^<\?limit=1&cursor=[^>]+>; rel="next"$/);
    const parquet = await service.get('/orders?limit=3', { accept: 'application/vnd.apache.parquet' });
    const file = join(project.folder, 'answer.parquet');
    await writeFile(file, parquet.bytes);
    expect(await duckdb(`SELECT max(id)::INT AS id, sum(amount)::VARCHAR AS amount FROM '${file}'`)).toEqual([
      { id: 3, amount: '3.75' },
    ]);
    expect(parquet.headers.get('link')).toMatch(/rel="next"/);
    expect(await service.get('/orders', { accept: 'application/vnd.apache.arrow.stream' })).toMatchObject({
      status: 406,
      body: { detail: 'the answer can be application/json, text/csv, application/vnd.apache.parquet' },
    });
  });

  it('loses no digit', async () => {
    const project = await newProject();
    await project.configure(
      `
  tables: { a.b: { location: data } }
  routes:
    all: { path: /all, sql: "SELECT 170141183460469231731687303715884105727::HUGEINT AS huge, * FROM a.b ORDER BY big" }
    one: { path: /one, answer: row, sql: SELECT count(*) AS rows FROM a.b }
`.slice(1),
    );
    await project.write(
      'data',
      `SELECT 9007199254740993 AS big, 1.10::DECIMAL(38,10) AS dec,
       TIMESTAMP '2026-01-02 03:04:05.123456' AS at, TIMESTAMPTZ '2026-01-02 03:04:05.1+02' AS instant, 'NaN'::DOUBLE AS nan,
       '\\xAA\\x00'::BLOB AS bytes, [1, NULL] AS list, {'a': 9007199254740993} AS struct, MAP {'k': 1} AS map, NULL AS nothing, '' AS empty`,
    );
    const service = await project.start();
    expect((await service.get('/all')).body.rows).toEqual([
      {
        big: '9007199254740993',
        huge: '170141183460469231731687303715884105727',
        dec: '1.1000000000',
        at: '2026-01-02T03:04:05.123456',
        instant: '2026-01-02T01:04:05.1Z',
        nan: 'NaN',
        bytes: 'qgA=',
        list: [1, null],
        struct: { a: '9007199254740993' },
        map: [{ key: 'k', value: 1 }],
        nothing: null,
        empty: '',
      },
    ]);
    expect((await service.get('/one')).body).toEqual({ rows: '1' });
    expect((await service.get('/all', { accept: 'text/csv' })).text).toMatch(/,,""\r\n$/);
  });

  it('has an ETag of its data, which saves the next one', async () => {
    const project = await ordersProject();
    const service = await project.start();
    const first = await service.get('/orders');
    const etag = first.headers.get('etag') ?? '';
    expect(await service.get('/orders', { 'if-none-match': etag })).toMatchObject({ status: 304, text: '' });
    expect((await service.get('/orders', { 'if-none-match': `W/${etag}, "x"` })).status).toBe(304);
    expect((await service.get('/orders?limit=2', { 'if-none-match': etag })).status).toBe(200);
    expect((await service.get('/orders', { 'if-none-match': etag, accept: 'text/csv' })).status).toBe(200);
    await project.write('data/orders/dt=2026-01-03', ordersOf(9));
    await service.land('shop.orders', { dt: '2026-01-03' });
    const later = await service.get('/orders', { 'if-none-match': etag });
    expect(later.status).toBe(200);
    expect(later.headers.get('etag')).not.toBe(etag);
  });

  it('of one row is 404 where there is none', async () => {
    const project = await newProject();
    await project.configure(
      `
  tables: { a.b: { location: data } }
  routes:
    one: { path: "/one/{id}", answer: row, sql: "SELECT id FROM a.b WHERE id = $id", parameters: { id: { type: integer } } }
`.slice(1),
    );
    await project.write('data', 'SELECT 1 AS id');
    const service = await project.start();
    expect(await service.get('/one/1')).toMatchObject({ status: 200, body: { id: 1 } });
    expect(await service.get('/one/2')).toMatchObject({
      status: 404,
      body: { detail: 'there is no such row' },
    });
    expect(service.log.join('')).not.toMatch(/"level":"error"/);
  });

  it('shows neither SQL nor a path where it fails', async () => {
    const project = await newProject();
    await project.configure(
      `
  tables: { a.b: { location: data } }
  routes:
    cast: { path: /cast, answer: row, sql: SELECT max(CAST(text AS INTEGER)) AS secret FROM a.b }
`.slice(1),
    );
    await project.write('data', `SELECT 'not a number' AS text`);
    const service = await project.start();
    const { status, text } = await service.get('/cast');
    expect(status).toBe(500);
    expect(text).not.toMatch(/secret|CAST|parquet|hippo-query|not a number/);
    expect(service.log.join('')).toMatch(/not a number/);
  });

  it('tells its schema to the OpenAPI document', async () => {
    const service = await (await ordersProject()).start();
    const { paths } = (await service.get('/openapi.json')).body as { paths: Record<string, unknown> };
    const amount = {
      type: ['string', 'null'],
      description: 'A decimal number with 2 digits after the point, as text',
    };
    const rows = { items: { properties: { amount } } };
    const ok = { content: { 'application/json': { schema: { properties: { rows } } } } };
    expect(paths['/orders']).toMatchObject({
      get: {
        parameters: expect.arrayContaining(
          ['day', 'limit', 'cursor'].map((name) => expect.objectContaining({ in: 'query', name }) as object),
        ) as object,
        responses: { 200: ok },
      },
    });
  });
});

describe('pages', () => {
  it('go on from a cursor on the data of the first page, also after newer data', async () => {
    const project = await ordersProject();
    const service = await project.start();
    const first = await service.get('/orders?limit=3');
    await project.write('data/orders/dt=2026-01-03', ordersOf(0));
    await service.land('shop.orders', { dt: '2026-01-03' });
    const ids = [...(first.body.rows ?? [])];
    for (let next = first.body.next; typeof next === 'string';) {
      const page = await service.get(`/orders?limit=3&cursor=${next}`);
      ids.push(...(page.body.rows ?? []));
      next = page.body.next;
    }
    expect(ids.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(await idsOf(service)).toHaveLength(12);
  });

  it('are 410 when the data of the cursor are gone', async () => {
    const project = await ordersProject(`${ORDERS}  keep: 0s\n`);
    const service = await project.start();
    const { body } = await service.get('/orders?limit=3');
    await project.write('data/orders/dt=2026-01-03', ordersOf(9));
    await service.land('shop.orders', { dt: '2026-01-03' });
    await expect
      .poll(async () => (await service.get(`/orders?limit=3&cursor=${body.next ?? ''}`)).status)
      .toBe(410);
  });
});

describe('a data version', () => {
  it('has a new partition once its event has come', async () => {
    const project = await ordersProject();
    const service = await project.start();
    await project.write('data/orders/dt=2026-01-03', ordersOf(9));
    expect(await idsOf(service)).toHaveLength(8);
    expect((await service.land('shop.orders', { dt: '2026-01-03' }, 1_767_312_000)).status).toBe(204);
    expect(await idsOf(service)).toHaveLength(12);
    expect((await service.get('/freshness')).body).toMatchObject({
      tables: [
        {
          table: 'shop.orders',
          partitions: 3,
          up_to: 'dt=2026-01-03',
          since: '2026-01-02T00:00:00.000Z',
          awaited: [],
        },
      ],
    });
  });

  it('has an event before its files: they are awaited', async () => {
    const project = await ordersProject();
    const service = await project.start();
    await service.land('shop.orders', { DT: '2026-01-03' });
    expect((await service.get('/freshness')).body).toMatchObject({
      tables: [
        { awaited: [{ landing: 'shop.orders dt=2026-01-03', why: 'there are no Parquet files yet' }] },
      ],
    });
    await project.write('data/orders/dt=2026-01-03', ordersOf(9));
    await expect.poll(() => idsOf(service), { timeout: 10_000 }).toHaveLength(12);
  });

  it('shows the old files of a partition that is overwritten until its event has come', async () => {
    const project = await ordersProject();
    const service = await project.start();
    await project.write('data/orders/dt=2026-01-02', ordersOf(105));
    expect(await idsOf(service, '/orders?day=2026-01-02')).toEqual([5, 6, 7, 8]);
    await service.land('shop.orders', { dt: '2026-01-02' });
    await expect
      .poll(() => idsOf(service, '/orders?day=2026-01-02'), { timeout: 10_000 })
      .toEqual([105, 106, 107, 108]);
  });

  it('is never a mixture while a partition is overwritten again and again', async () => {
    const project = await newProject();
    await project.configure(
      `
  tables: { shop.stock: { location: data/stock, partition: { dt: date } } }
  routes:
    generations:
      path: /generations
      answer: row
      sql: SELECT count(*)::INTEGER AS files, min(generation)::INTEGER AS first, max(generation)::INTEGER AS last FROM shop.stock
  keep: 0s
`.slice(1),
    );
    const FILES = 4;
    const made = join(project.folder, 'made');
    await mkdir(made);
    const make = async (generation: number): Promise<void> => {
      for (let file = 0; file < FILES; file += 1)
        await duckdb(
          `COPY (SELECT ${generation} AS generation) TO '${made}/${generation}-${file}.parquet' (FORMAT parquet)`,
        );
    };
    const folder = join(project.folder, 'data/stock/dt=2026-01-01');
    await mkdir(folder, { recursive: true });
    const overwrite = async (generation: number): Promise<void> => {
      for (const name of await readdir(folder)) await rm(join(folder, name));
      for (let file = 0; file < FILES; file += 1)
        await rename(
          join(made, `${generation}-${file}.parquet`),
          join(folder, `${generation}-${file}.parquet`),
        );
    };
    await make(0);
    await overwrite(0);
    const service = await project.start();
    const seen = new Set<unknown>();
    const reading = { isOver: false };
    const reader = (async () => {
      for (let rounds = 0; !reading.isOver || rounds < 20; rounds += 1) {
        const { status, body } = await service.get('/generations');
        expect(status).toBe(200);
        expect(body).toEqual({ files: FILES, first: body['last'], last: body['last'] });
        seen.add(body['last']);
      }
    })();
    for (let generation = 1; generation <= 6; generation += 1) {
      await make(generation);
      await overwrite(generation);
      await service.land('shop.stock', { dt: '2026-01-01' });
    }
    await expect
      .poll(async () => (await service.get('/generations')).body['last'], { timeout: 15_000 })
      .toBe(6);
    reading.isOver = true;
    await reader;
    expect(seen.has(0) && seen.has(6)).toBe(true);
  }, 60_000);

  it('is the same after a restart: what has landed without an event stays unseen', async () => {
    const project = await ordersProject();
    const first = await project.start();
    const version = (await first.get('/orders')).headers.get('hippo-data-version');
    await first.stop();
    await project.write('data/orders/dt=2026-01-03', ordersOf(9));
    await project.write('data/orders/dt=2026-01-02', ordersOf(105));
    const second = await project.start();
    const again = await second.get('/orders');
    expect(again.headers.get('hippo-data-version')).toBe(version);
    expect(again.body.rows).toHaveLength(8);
  });

  it('takes the event that came while no process was there from $HIPPO_RELOAD_FILE, and none from a request', async () => {
    const project = await ordersProject();
    await (await project.start()).stop();
    await project.write('data/orders/dt=2026-01-03', ordersOf(9));
    await project.write('data/orders/dt=2026-01-04', ordersOf(13));
    const file = join(project.folder, 'reload.json');
    await writeFile(file, JSON.stringify(eventOf('shop.orders', { dt: '2026-01-03' }, 1_767_225_600)));
    const service = await project.start({ env: { HIPPO_RELOAD_FILE: file } });
    expect(await idsOf(service)).toHaveLength(12);
    await service.land('shop.orders', { dt: '2026-01-04' });
    expect(await idsOf(service)).toHaveLength(12);
  });

  it('removes the files that no version needs', async () => {
    const project = await ordersProject(`${ORDERS}  keep: 0s\n`);
    const service = await project.start();
    const snapshots = join(project.folder, '.hippo/queries/serve/0/snapshots');
    expect(await readdir(snapshots)).toHaveLength(2);
    await project.write('data/orders/dt=2026-01-02', ordersOf(105));
    await service.land('shop.orders', { dt: '2026-01-02' });
    await expect.poll(() => idsOf(service, '/orders?day=2026-01-02'), { timeout: 10_000 }).toContain(105);
    await expect.poll(() => readdir(snapshots), { timeout: 10_000 }).toHaveLength(2);
  });
});

describe('without data', () => {
  it('a route is 503, and the service is not ready, until the first partition has landed', async () => {
    const project = await newProject();
    await project.configure(ORDERS);
    const service = await project.start();
    expect(await service.get('/readyz')).toMatchObject({ status: 503, body: { awaited: ['shop.orders'] } });
    expect((await service.get('/orders')).status).toBe(503);
    await project.write('data/orders/dt=2026-01-01', ordersOf(1));
    await service.land('shop.orders', { dt: '2026-01-01' });
    expect((await service.get('/readyz')).status).toBe(200);
    expect(await idsOf(service)).toEqual([1, 2, 3, 4]);
  });
});
