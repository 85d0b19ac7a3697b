/** What commands say where Kafka's authorizer denies an operation; for a test file with a broker of its own. */
import { afterAll, beforeAll, expect } from 'vitest';
import { type Acl, deny } from './admin.ts';
import type { TestProject } from './project.ts';
import { PASSWORD, type SecureBroker, USERNAME, startSecureBroker } from './secure-broker.ts';

let broker: SecureBroker;

/** Starts the broker before the tests of the file, and stops it after them. */
export function useSecureBroker(): void {
  beforeAll(async () => {
    broker = await startSecureBroker();
  });
  afterAll(() => broker.stop());
}

/** Where an operator gets in who may do everything. */
export const operators = (): string[] => [broker.address.PLAINTEXT];
/** Where the hippos get in. */
export const address = (): string => broker.address.SASL;

export const JOB = `load: { every: month, needs: [{ table: btd.party, partition: { yyyymm: "{{ window | date: '%Y%m' }}" } }], run: ./job.sh }`;
/** The sections client and kafka of hippo.yaml. */
export const SETTINGS = `client: { session_timeout: 6s }
kafka: { sasl: { mechanism: plain, username: ${USERNAME}, password: ${PASSWORD} } }`;

export const RUN = 'run --once';
export const TRIGGER = 'trigger --table btd.party --partition yyyymm=201704';
export const DOCTOR = 'doctor topics group';
/** READ → Read, as kafka-acls.sh has it. */
const kafkaName = (operation: string): string =>
  operation.replaceAll(/([A-Z])([A-Z]*)_?/g, (_, first: string, rest: string) => first + rest.toLowerCase());

export function aclOf({ prefix, name }: TestProject, operation: Acl[0], on: string): Acl {
  if (on === 'GROUP' || on === 'TRANSACTIONAL_ID') return [operation, on, `hippo.${prefix}/${name}`];
  return [operation, 'TOPIC', `${prefix}${on}`];
}

/** In words, and in the command that grants it. */
function expectedWords([operation, type, name]: Acl): string[] {
  const kind = type.toLowerCase();
  return [
    `denies User:${USERNAME} the operation ${kafkaName(operation)} on ${kind.replace('_', ' ')} ${name}`,
    `kafka-acls.sh --bootstrap-server ${address()} --add --allow-principal User:${USERNAME} ` +
      `--operation ${kafkaName(operation)} --${kind.replace('_', '-')} ${name}`,
  ];
}

/** What must not be said of a Kafka that answers and of topics that exist. */
const FALSE_REASONS =
  /away|lost the connection|cannot be reached|does not exist|do not exist|is missing|Nothing is stuck/;

/** Wrapped lines as one. */
const flat = (text: string): string => text.replaceAll(/\s+/g, ' ');

/** Denies an operation on what a test is about; then the commands end at once, and say which right is missing. */
export async function expectDenied(
  project: TestProject,
  acl: Acl,
  commands: readonly string[],
): Promise<void> {
  await deny(operators(), USERNAME, acl);
  for (const command of commands) {
    const { exitCode, stdout, stderr } = await project.hippo(command.split(' '));
    const said = flat(stdout + stderr);
    expect({ command, exitCode }).toEqual({ command, exitCode: command === DOCTOR ? 1 : 3 });
    for (const words of expectedWords(acl)) expect(said).toContain(words);
    expect(said).not.toMatch(FALSE_REASONS);
  }
}
