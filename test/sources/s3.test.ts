import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/schema.ts';
import { compileSources } from '../../src/client/host/sources.ts';
import { parseS3Url } from '../../src/sources/index.ts';

describe('the URL of a bucket', () => {
  it.each([
    ['s3://lake', 'lake', ''],
    ['s3://lake/', 'lake', ''],
    ['s3://lake/t', 'lake', 't/'],
    ['s3://lake/t/', 'lake', 't/'],
    ['s3://lake/a b/100%/日本', 'lake', 'a b/100%/日本/'],
    ['s3://lake//t', 'lake', '/t/'],
  ])('%s', (url, bucket, prefix) => {
    expect(parseS3Url(url)).toEqual({ bucket, prefix });
  });
});

describe('the sources of a hippo.yaml', () => {
  it('are named by what they watch', () => {
    const config = parseConfig({
      sources: {
        clicks: {
          table: 'web.clicks',
          s3: { url: 's3://lake/clicks' },
          levels: 'dt=*',
          complete: '_SUCCESS',
        },
        party: {
          table: 'btd.party',
          hdfs: { path: '/warehouse/party/', namenodes: 'http://nn1:9870,http://nn2:9870' },
        },
      },
    });
    const watched = compileSources({ config, directory: '/project' }, []);
    expect(watched.map(({ scanner, source }) => [scanner.place, source.settle])).toEqual([
      ['s3://lake/clicks/', 0],
      ['hdfs:/warehouse/party', 60_000],
    ]);
  });
});
