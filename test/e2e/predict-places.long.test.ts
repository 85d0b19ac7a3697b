/** Versions of models in a real HDFS, and in moto, which is an S3. */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Model, type ModelPlace, loadModel } from '../../src/predict/index.ts';
import { FaultyProxy } from '../support/faults.ts';
import { makeFolder } from '../support/folder.ts';
import { Hdfs } from '../support/hdfs.ts';
import { type RecommenderVersion, ids, modelFiles, writeModel } from '../support/model.ts';
import { AWS_ENV, Moto } from '../support/moto.ts';

const VERSION = '20260101T000000Z-000001';
/** 5 MB of factors, in many chunks; known_items.u32 is empty. */
const LARGE: RecommenderVersion = {
  ...{ kind: 'recommender', rank: 64, items: ids('i', 20_000) },
  known: Array.from({ length: 30 }, () => []),
};

const load = (place: ModelPlace, version = VERSION): Promise<Model> =>
  loadModel(place, { name: 'films', version, signal: new AbortController().signal });

function topOf(model: Model): unknown {
  if (model.kind !== 'recommender') throw new Error(model.kind);
  return ['u0', 'u29', 'nobody'].map((user) => model.top(user, 10));
}

/** What a model of a local folder answers. */
async function expected(): Promise<unknown> {
  const { location } = await writeModel(await makeFolder('models'), LARGE);
  return topOf(await load({ location }));
}

describe('HDFS', () => {
  let hdfs: Hdfs;
  beforeAll(async () => {
    hdfs = await Hdfs.start();
    for (const [file, content] of Object.entries(modelFiles(LARGE).files))
      await hdfs.write(`/models/films/${VERSION}/${file}`, content);
  });
  afterAll(() => hdfs.stop());

  const place = (): ModelPlace => ({
    location: 'hdfs://ha/models/films',
    hdfs: { webhdfs: hdfs.addresses, user: 'hippo' },
  });

  it('has a version, which predicts as that of a local folder', async () => {
    expect(topOf(await load(place()))).toEqual(await expected());
  });

  it('refuses a version that is not there, or was changed', async () => {
    await expect(load(place(), 'v9')).rejects.toThrow('manifest.json: there is no such file');
    const { files } = modelFiles({ ...LARGE, version: 'v2' });
    for (const [file, content] of Object.entries(files))
      await hdfs.write(`/models/films/v2/${file}`, content);
    await hdfs.write('/models/films/v2/users.json', files['users.json']!.toString().replace('u7', 'u8'));
    await expect(load(place(), 'v2')).rejects.toThrow('users.json: its SHA-256 is');
    await hdfs.remove('/models/films/v2/users.json');
    await expect(load(place(), 'v2')).rejects.toThrow(
      'users.json: there is no such file, and the manifest lists it',
    );
  });

  it('is away where it denies the right, and while no NameNode is active', async () => {
    await hdfs.makeFolder('/models/secret', '700');
    const secret = { ...place(), location: 'hdfs://ha/models/secret' };
    await expect(load(secret)).rejects.toMatchObject({
      kind: 'service',
      why: expect.stringContaining('AccessControlException') as string,
    });
    await hdfs.stopNameNode(1);
    await expect(load(place())).rejects.toMatchObject({
      kind: 'service',
      why: expect.stringContaining('no NameNode answers as the active one') as string,
    });
    await hdfs.activate(2);
    await expect.poll(() => load(place()).then(topOf)).toEqual(await expected());
  });
});

describe('S3', () => {
  let moto: Moto;
  beforeAll(async () => {
    moto = await Moto.start();
    await moto.makeBucket('lake');
    for (const [file, content] of Object.entries(modelFiles(LARGE).files))
      await moto.put('lake', `models/films/${VERSION}/${file}`, content);
  });
  afterAll(() => moto.stop());
  afterEach(() => vi.unstubAllEnvs());

  function place(endpoint = moto.endpoint): ModelPlace {
    for (const [name, value] of Object.entries(AWS_ENV)) vi.stubEnv(name, value);
    return { location: 's3a://lake/models/films/', s3: { endpoint } };
  }

  it('has a version, which predicts as that of a local folder', async () => {
    expect(topOf(await load(place()))).toEqual(await expected());
  });

  it('refuses a version that is not there, or was changed', async () => {
    await expect(load(place(), 'v9')).rejects.toThrow('manifest.json: there is no such file');
    const { files } = modelFiles({ ...LARGE, version: 'v2' });
    for (const [file, content] of Object.entries(files))
      await moto.put('lake', `models/films/v2/${file}`, content);
    await moto.put('lake', 'models/films/v2/users.json', files['users.json']!.toString().replace('u7', 'u8'));
    await expect(load(place(), 'v2')).rejects.toThrow('users.json: its SHA-256 is');
  });

  it('is read again where the connection breaks, and is away without the bucket', async () => {
    await using proxy = await FaultyProxy.start(moto.endpoint);
    let left = 2;
    proxy.fault = (path) => (path.includes('item_factors') && (left -= 1) >= 0 ? 'cut' : undefined);
    expect(topOf(await load(place(proxy.url)))).toEqual(await expected());
    expect(left).toBeLessThan(0);
    await expect(load({ ...place(), location: 's3a://pond/models' })).rejects.toMatchObject({
      kind: 'service',
      why: expect.stringContaining('there is no bucket pond') as string,
    });
  });
});
