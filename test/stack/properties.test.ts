import { describe, expect, test } from 'vitest';
import { newClusterId } from '../../src/stack/broker.ts';
import {
  brokerFile,
  brokerProperties,
  formatProperties,
  readBrokerFile,
} from '../../src/stack/properties.ts';

const PORTS = { client: 40_001, controller: 40_002 };

describe('the settings of the local broker', () => {
  const properties = brokerProperties(PORTS, '/project/.hippo/kafka/data');

  test('bind every listener to loopback', () => {
    const addresses = Object.values(properties)
      .join(' ')
      .match(/\d+\.\d+\.\d+\.\d+/g);
    expect(new Set(addresses)).toEqual(new Set(['127.0.0.1']));
  });

  test('ask for one replica of each internal topic', () => {
    const factors = Object.entries(properties).filter(([key]) => /replication\.factor|min\.isr/.test(key));
    expect(factors.length).toBeGreaterThanOrEqual(5);
    expect(factors.filter(([, value]) => value !== '1')).toEqual([]);
  });
});

describe('server.properties', () => {
  test('has the version and the ports, which are read back', () => {
    const text = brokerFile('4.3.1', brokerProperties(PORTS, '/data'));
    expect(readBrokerFile(text)).toEqual({ version: '4.3.1', ports: PORTS });
  });

  test.each([
    ['nothing', ''],
    ['a file of another program', 'process.roles=broker\nadvertised.listeners=PLAINTEXT://h:9092\n'],
    ['a file that breaks off', brokerFile('4.3.1', brokerProperties(PORTS, '/data')).slice(0, 100)],
  ])('%s tells nothing', (_, text) => {
    expect(readBrokerFile(text)).toBeUndefined();
  });

  test('has backslashes escaped for Java', () => {
    expect(formatProperties({ 'log.dirs': 'C:\\data' })).toBe('log.dirs=C:\\\\data\n');
  });
});

test('a cluster id is a UUID in the form of Kafka, and never begins with a hyphen', () => {
  expect(newClusterId(Uint8Array.from({ length: 16 }, (_, index) => index))).toBe('AAECAwQFBgcICQoLDA0ODw');
  expect(newClusterId(new Uint8Array(16).fill(0xfb))).toMatch(/^[\w][\w-]{21}$/);
});
