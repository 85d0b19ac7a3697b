import { expect, test } from 'vitest';
import { modelUrl, servedModels } from '../../../src/client/host/model-files.ts';
import { parseConfig } from '../../../src/config/schema.ts';

test.each([
  ['data/models/iris', 'file:///srv/flowers/data/models/iris'],
  ['/models/my iris/', 'file:///models/my%20iris'],
  ['file:///models/iris/', 'file:///models/iris'],
  ['hdfs://nn:9000/models', 'hdfs://nn:9000/models'],
  ['s3://lake/models/', 's3a://lake/models'],
  ['s3a://lake/models', 's3a://lake/models'],
])('the location %s is %s', (location, url) => {
  expect(modelUrl('/srv/flowers', location)).toBe(url);
});

test('a service is told of the models that it serves, and how their places are read', () => {
  const config = parseConfig({
    models: {
      iris: { builder: 'a', service: 'api', location: 'm' },
      movies: {
        builder: 'b',
        service: ['api', 'web'],
        location: 'hdfs://nn/m',
        hdfs: { webhdfs: 'http://nn:9870' },
      },
      none: { builder: 'c', location: 'm' },
    },
  });
  expect(servedModels(config, 'api', '/srv')).toEqual([
    { name: 'iris', location: 'file:///srv/m' },
    {
      name: 'movies',
      location: 'hdfs://nn/m',
      hdfs: { webhdfs: ['http://nn:9870'], request_timeout: 10_000 },
    },
  ]);
  expect(servedModels(config, 'web', '/srv')).toHaveLength(1);
});
