import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ModelAway, ModelRefused, type ModelPlace, loadModel } from '../../src/predict/index.ts';
import { type VersionContents, modelFiles } from '../support/model.ts';
import { type Fault, type Files, type TestHdfs, remote, s3Error, serveHdfs, serveS3 } from './servers.ts';

const VERSION = '20260101T000000Z-000001';
const FILMS = modelFiles({ kind: 'recommender' });

function at(prefix: string, { files }: VersionContents): Files {
  return Object.fromEntries(
    Object.entries(files).map(([file, content]) => [`${prefix}/${VERSION}/${file}`, content]),
  );
}

interface Asked {
  signal?: AbortSignal;
  version?: string;
}

const load = (place: ModelPlace, { signal = new AbortController().signal, version = VERSION }: Asked = {}) =>
  loadModel(place, { name: 'films', version, signal });

const hdfsPlace = (hdfs: TestHdfs, silence = 10_000): ModelPlace => ({
  location: 'hdfs://warehouse:8020/models/films/',
  hdfs: { webhdfs: hdfs.name.url, user: 'hippo', request_timeout: silence },
});

const s3Place = (endpoint: string, silence = 10_000): ModelPlace => ({
  location: 's3a://lake/models/films',
  s3: { endpoint, region: 'us-east-1', request_timeout: silence },
});

async function hdfs(silence?: number) {
  const served = await serveHdfs(at('/models/films', FILMS));
  return { ...served, place: hdfsPlace(served, silence) };
}

async function s3(silence?: number) {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'key');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  onTestFinished(() => void vi.unstubAllEnvs());
  const served = await serveS3(at('/lake/models/films', FILMS));
  return { served, place: s3Place(served.url, silence) };
}

/** Answers so the first times. */
function first(times: number, fault: Fault): Fault {
  let left = times;
  return (request, response) => ((left -= 1) >= 0 ? fault(request, response) : undefined);
}

/** A file's beginning, and then nothing more, or the end of the connection. */
const half =
  (then: 'hang' | 'cut'): Fault =>
  (_, response) => {
    response.writeHead(200, { 'content-length': 10_000 });
    response.write('x', () => then === 'cut' && response.destroy());
    return 'answered';
  };

describe('a version in HDFS', () => {
  it('is read from the DataNode that the NameNode names', async () => {
    const { place, name, data } = await hdfs();
    const model = await load(place);
    expect(model).toMatchObject({ kind: 'recommender', users: 30, items: 100, rank: 8 });
    expect(name.requests[0]).toBe(
      `GET /webhdfs/v1/models/films/${VERSION}/manifest.json?op=OPEN&noredirect=true&user.name=hippo`,
    );
    expect(data.requests).toHaveLength(8);
  });

  it('that is not there is refused', async () => {
    const { place } = await hdfs();
    const error = await load(place, { version: 'v9' }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ModelRefused);
    expect(error).toMatchObject({
      message:
        'version v9 of the model films is refused: manifest.json: there is no such file: the version was removed, or is not complete',
      place: { file: 'hdfs:/models/films/v9/manifest.json' },
    });
  });

  it.each<[string, Fault]>([
    ['breaks', half('cut')],
    ['refuses', (_, response) => remote(response, 403, 'IOException', 'Block missing')],
    ['is full of errors', (_, response) => remote(response, 500, 'RuntimeException', 'oh')],
  ])('is read again, from another DataNode, where one %s', async (_, fault) => {
    const { place, name, data } = await hdfs();
    data.fault = first(1, fault);
    await load(place);
    expect(name.requests[1]).toContain(`excludedatanodes=${encodeURIComponent(new URL(data.url).host)}`);
  });

  it('is asked for without an excluded DataNode where there is no other', async () => {
    const { place, name, data } = await hdfs();
    data.fault = first(1, half('cut'));
    name.fault = ({ url = '' }, response) =>
      url.includes('excludedatanodes') ? remote(response, 403, 'IOException', 'no DataNode') : undefined;
    expect(await load(place)).toMatchObject({ kind: 'recommender' });
  });

  it('is away where a DataNode sends nothing more', async () => {
    const { place, data } = await hdfs(100);
    data.fault = half('hang');
    await expect(load(place)).rejects.toThrow(ModelAway);
    await expect(load(place)).rejects.toMatchObject({ why: `${data.url} has sent nothing for 100 ms` });
  });

  it('is away where no DataNode answers', async () => {
    const { place, data } = await hdfs(100);
    data.fault = () => 'answered';
    await expect(load(place)).rejects.toMatchObject({
      kind: 'service',
      message: `hdfs:/models/films/${VERSION}/manifest.json cannot be read`,
      why: `${data.url}: no answer within 100 ms`,
    });
  });

  it('is away where its user has no right', async () => {
    const { place, name } = await hdfs();
    name.fault = (_, response) => remote(response, 403, 'AccessControlException', 'Permission denied');
    await expect(load(place)).rejects.toMatchObject({
      kind: 'service',
      why: `${name.url}: status 403 AccessControlException: Permission denied (asked as hippo)`,
    });
  });

  it('may come slowly, as long as something comes', async () => {
    const { place, data } = await hdfs(500);
    data.fault = first(1, (_, response) => {
      const content = FILMS.files['manifest.json']!;
      response.writeHead(200, { 'content-length': content.length });
      const step = Math.ceil(content.length / 10);
      const send = (from: number): void => {
        if (from >= content.length) response.end();
        else
          response.write(content.subarray(from, from + step), () => setTimeout(() => send(from + step), 100));
      };
      send(0);
      return 'answered';
    });
    expect(await load(place)).toMatchObject({ kind: 'recommender' });
    expect(data.requests).toHaveLength(8);
  });

  it('is let go when the loading is called off', async () => {
    const { place, data } = await hdfs();
    const stop = new AbortController();
    data.fault = (request, response) => {
      request.on('close', () => closed.resolve(undefined));
      half('hang')(request, response);
      setImmediate(() => stop.abort(new Error('enough')));
      return 'answered';
    };
    const closed = Promise.withResolvers<undefined>();
    await expect(load(place, stop)).rejects.toThrow('enough');
    await closed.promise;
  });
});

describe('a version in S3', () => {
  it('is read from its prefix', async () => {
    const { place, served } = await s3();
    expect(await load(place)).toMatchObject({ kind: 'recommender', users: 30 });
    expect(served.requests[0]).toMatch(`GET /lake/models/films/${VERSION}/manifest.json`);
    expect(served.requests).toHaveLength(8);
  });

  it('that is not there is refused', async () => {
    const { place } = await s3();
    await expect(load(place, { version: 'v9' })).rejects.toThrow(
      'version v9 of the model films is refused: manifest.json: there is no such file',
    );
  });

  it.each<[string, Fault]>([
    ['is busy', (_, response) => s3Error(response, 503, 'SlowDown')],
    ['has an error', (_, response) => s3Error(response, 500, 'InternalError')],
    ['breaks the connection', half('cut')],
  ])('is read again where S3 %s', async (_, fault) => {
    const { place, served } = await s3();
    served.fault = first(2, fault);
    expect(await load(place)).toMatchObject({ kind: 'recommender' });
    expect(served.requests).toHaveLength(10);
  });

  it.each<[string, Fault, RegExp]>([
    ['stays busy', (_, response) => s3Error(response, 503, 'SlowDown'), /^503 SlowDown$/],
    [
      'denies the right',
      (_, response) => s3Error(response, 403, 'AccessDenied'),
      /denies the object .* s3:GetObject on lake\//,
    ],
    ['has no such bucket', (_, response) => s3Error(response, 404, 'NoSuchBucket'), /no bucket lake/],
    ['does not answer', () => 'answered', /has not answered within 200 ms/],
    ['sends nothing more', half('hang'), /has sent nothing for 200 ms/],
  ])('is away where S3 %s', async (_, fault, why) => {
    const { place, served } = await s3(200);
    served.fault = fault;
    const error = await load(place).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ModelAway);
    expect((error as ModelAway).why).toMatch(why);
  });

  it('is let go when the loading is called off', async () => {
    const { place, served } = await s3();
    const stop = new AbortController();
    const closed = Promise.withResolvers<undefined>();
    served.fault = (request, response) => {
      response.on('close', () => closed.resolve(undefined));
      half('hang')(request, response);
      setTimeout(() => stop.abort(new Error('enough')), 50);
      return 'answered';
    };
    await expect(load(place, stop)).rejects.toThrow('enough');
    await closed.promise;
  });
});

describe('a location', () => {
  it.each<[ModelPlace, string]>([
    [{ location: 'ftp://host/models' }, 'ftp: is none of file:, hdfs:, s3a:, s3:'],
    [{ location: 'file://host/models' }, 'File URL host must be "localhost" or empty on linux'],
    [{ location: 'hdfs://nn/models' }, 'hdfs.webhdfs is not set: it is http://namenode:9870'],
    [
      { location: 'hdfs://nn/../models', hdfs: { webhdfs: 'http://nn' } },
      'it must be like hdfs://namenode:8020/models/iris, without "." and ".."',
    ],
    [
      { location: 'hdfs://nn/models', hdfs: { webhdfs: 'nn:9870' } },
      'hdfs.webhdfs must be like http://namenode:9870; it is "nn:9870"',
    ],
    [
      { location: 's3a://key:secret@lake/models' },
      'it must be like s3a://bucket/models/iris, without credentials',
    ],
  ])('%o is wrong', async (place, why) => {
    await expect(load(place)).rejects.toMatchObject({ kind: 'user', exitCode: 2, why });
  });
});
