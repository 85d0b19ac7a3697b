import { join } from 'node:path';
import getPort from 'get-port';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { DoctorReport } from '../../src/doctor/runner.ts';
import { type RunningBroker, startBroker } from '../../src/stack/broker.ts';
import { endProcessesBelow } from '../support/end-processes.ts';
import { makeFolder } from '../support/folder.ts';
import { MONTHLY, test } from '../support/project.ts';

// A broker that answers "not now" is asked why after the connect timeout.
const SETTINGS = 'client: { session_timeout: 6s, http: false }\nkafka: { connect_timeout: 2s }';

let folder: string;
/** One wants three replicas of the transaction log, the other of the groups' offsets. */
let broker: RunningBroker;
let other: RunningBroker;
/** The ports that advertise an address of no use, and that address. */
const listeners = { unknown: ['', 'kafka.invalid:9092'], closed: ['', ''] };

beforeAll(async () => {
  folder = await makeFolder('settings');
  for (const listener of Object.values(listeners)) listener[0] = `127.0.0.1:${await getPort()}`;
  listeners.closed[1] = `127.0.0.1:${await getPort()}`;
  const { unknown, closed } = listeners;
  const starting = startBroker({
    directory: join(folder, 'other'),
    properties: { 'offsets.topic.replication.factor': '3' },
  });
  broker = await startBroker({
    directory: join(folder, 'one'),
    properties: ({ client, controller }) => ({
      listeners: `PLAINTEXT://127.0.0.1:${client},UNKNOWN://${unknown[0]},CLOSED://${closed[0]},CONTROLLER://127.0.0.1:${controller}`,
      'advertised.listeners': `PLAINTEXT://127.0.0.1:${client},UNKNOWN://${unknown[1]},CLOSED://${closed[1]}`,
      'listener.security.protocol.map':
        'PLAINTEXT:PLAINTEXT,UNKNOWN:PLAINTEXT,CLOSED:PLAINTEXT,CONTROLLER:PLAINTEXT',
      'inter.broker.listener.name': 'PLAINTEXT',
      'transaction.state.log.replication.factor': '3',
    }),
  });
  other = await starting;
});

afterAll(() => endProcessesBelow(folder));

describe('a broker of the list answers, and the address that it advertises is of no use', () => {
  const COMMANDS = [
    ['run', '--once'],
    ['trigger', '--table', 'btd.party', '--partition', 'yyyymm=201704'],
    ['tail', '-e'],
    ['replay', '--dry-run'],
    ['tractor'],
  ];

  test('each command names the address, and what is wrong with it', async ({ makeProject }) => {
    const project = await makeProject(MONTHLY, 'exit 0', SETTINGS, broker.brokers[0]);
    const table = [
      [listeners.unknown, 'which this machine cannot resolve'],
      [listeners.closed, 'which refuses the connection'],
    ] as const;
    const expectProblem = async ([[asked = '', advertised = ''], problem]: (typeof table)[number]) => {
      const said = `${asked} answered; it advertises ${advertised}, ${problem}`;
      const env = { HIPPO_BROKERS: asked };
      await Promise.all(
        COMMANDS.map(async (words) => {
          const { exitCode, stderr } = await project.hippo(words, { env });
          expect({ words, exitCode, text: stderr.replace(/\s+/g, ' ') }).toMatchObject({
            words,
            exitCode: 3,
            text: expect.stringContaining(said) as string,
          });
          expect(stderr).toContain('advertised.listeners');
        }),
      );
      const doctor = await project.hippo(['doctor', 'kafka', '--json'], { env });
      expect(doctor.exitCode).toBe(1);
      const [check] = (JSON.parse(doctor.stdout) as DoctorReport).checks;
      expect(check).toMatchObject({ status: 'error', summary: '0 of 1 broker answers' });
      expect(check?.findings[0]?.text).toBe(`Kafka's broker ${advertised} cannot be reached. ${said}`);
    };
    await Promise.all(table.map(expectProblem));
  });
});

describe('a setting that the brokers cannot meet', () => {
  const flat = (text: string): string => text.replace(/\s+/g, ' ');

  test('of transactions is named by the client and by doctor', async ({ makeProject }) => {
    const project = await makeProject(MONTHLY, 'exit 0', SETTINGS, broker.brokers[0]);
    const said =
      "The brokers' setting transaction.state.log.replication.factor is 3, and 1 broker is running: Kafka cannot create its topic __transaction_state.";
    const [once, doctor] = await Promise.all([
      project.hippo(['run', '--once']),
      project.hippo(['doctor', 'kafka', '--json']),
    ]);
    expect(once).toMatchObject({ exitCode: 3 });
    expect(flat(once.stderr)).toContain(`has no transaction coordinator ${said} → start 2 more brokers`);
    expect(doctor.exitCode).toBe(1);
    const [check] = (JSON.parse(doctor.stdout) as DoctorReport).checks;
    const problem = check?.findings.find(({ status }) => status === 'error');
    expect(problem?.text).toContain(`No client can write: Kafka at`);
    expect(problem?.text).toContain(said.slice(0, -1));

    const client = project.startClient();
    const { text } = await client.event('notice', ({ level }) => level === 'error');
    expect(text).toContain(said.slice(0, -1));
  });

  test('of groups is named too', async ({ makeProject }) => {
    const project = await makeProject(MONTHLY, 'exit 0', SETTINGS, other.brokers[0]);
    const [once, doctor] = await Promise.all([
      project.hippo(['run', '--once']),
      project.hippo(['doctor', 'kafka', 'group', '--json']),
    ]);
    const group = "The brokers' setting offsets.topic.replication.factor is 3, and 1 broker is running";
    expect(once.exitCode).toBe(3);
    expect(flat(once.stderr)).toContain(`has no group coordinator ${group}`);
    expect(doctor.exitCode).toBe(1);
    const findings = (JSON.parse(doctor.stdout) as DoctorReport).checks.flatMap((check) => check.findings);
    const problems = findings.filter(({ status }) => status === 'error');
    expect(problems.map(({ text }) => text)).toEqual([expect.stringContaining(group)]);
  });
});
