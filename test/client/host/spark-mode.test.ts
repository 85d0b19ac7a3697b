import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { configSchema, parseConfig } from '../../../src/config/schema.ts';
import { isYarnCluster, sparkDefaults } from '../../../src/client/host/spark-mode.ts';

const yarn = (section: object) => parseConfig({ yarn: section }).yarn;
const named = { resource_managers: ['http://rm:8088'] };

describe('what hippo.yaml sets for a job', () => {
  it.each([
    ['nothing without a resource manager', {}, {}, {}],
    ['YARN, in cluster mode', named, {}, { SPARK_MASTER: 'yarn', SPARK_DEPLOY_MODE: 'cluster' }],
    [
      'the deploy mode',
      { ...named, deploy_mode: 'client' },
      {},
      { SPARK_MASTER: 'yarn', SPARK_DEPLOY_MODE: 'client' },
    ],
    ['nothing where another master is set', named, { SPARK_MASTER: 'local[2]' }, {}],
    [
      'what is not set',
      named,
      { SPARK_DEPLOY_MODE: 'client' },
      { SPARK_MASTER: 'yarn', SPARK_DEPLOY_MODE: 'client' },
    ],
    [
      'what is set to nothing',
      named,
      { SPARK_MASTER: '', SPARK_DEPLOY_MODE: '' },
      { SPARK_MASTER: 'yarn', SPARK_DEPLOY_MODE: 'cluster' },
    ],
  ])('%s', (_, section, environment, expected) => {
    expect(sparkDefaults(yarn(section), environment)).toEqual(expected);
  });
});

it.each([
  ['yarn', 'cluster', true],
  ['yarn', 'client', false],
  ['yarn', undefined, false],
  ['k8s://host', 'cluster', false],
  ['spark://host', 'cluster', false],
  [undefined, undefined, false],
])('%s in mode %s: %s', (SPARK_MASTER, SPARK_DEPLOY_MODE, expected) => {
  expect(isYarnCluster({ SPARK_MASTER, SPARK_DEPLOY_MODE })).toBe(expected);
});

describe('the resource managers', () => {
  it.each([
    [['http://rm-1:8088', 'https://rm-2:8090'], true],
    ['http://rm-1:8088, http://rm-2:8088', true],
    [['https://knox/gateway/default/resourcemanager'], true],
    [['rm-1:8088'], false],
    [['http://ann:secret@rm-1:8088'], false],
    [['http://rm-1:8088/?user.name=root'], false],
    [[], false],
    ['http://rm-1:8088,', false],
  ])('%j: %s', (resource_managers, fine) => {
    expect(v.safeParse(configSchema, { yarn: { resource_managers } }).success).toBe(fine);
  });
});
