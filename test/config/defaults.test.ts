import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { parseConfig } from '../../src/config/schema.ts';
import { readDocument } from '../../src/config/document.ts';
import { validate } from '../../src/config/validate.ts';

const FILE = fileURLToPath(new URL('../../hippo.yaml', import.meta.url));

describe('the hippo.yaml that comes with hippo', () => {
  test('says what the defaults are', async () => {
    const { config } = await loadConfig({ file: FILE, cwd: tmpdir(), env: {} });
    expect(config).toEqual(parseConfig({}));
  });

  test('shows examples that are right', async () => {
    const text = await readFile(FILE, 'utf8');
    const uncommented = text.replaceAll(/^( *)# (?=\s*(?:- |\w+:))/gm, '$1');
    const { tree } = readDocument(uncommented, 'hippo.yaml');
    const validated = validate(tree, () => false);
    expect(validated).toMatchObject({ ok: true });
    expect(tree).toMatchObject({
      kafka: { brokers: ['kafka-1:9092', 'kafka-2:9092'], sasl: { mechanism: 'scram-sha-512' } },
      jobs: { load: { needs: [{}, {}, { job: 'uat.project/gp_001' }, { topic: 'model' }] } },
      sources: { orders: { table: 'shop.orders', levels: 'yyyymm=*/region=*' } },
      models: { iris: { builder: 'build', promote: { metric: 'accuracy' } } },
      profiles: { prod: { topics: { prefix: 'prod-' } } },
    });
  });
});
