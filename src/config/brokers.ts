import { type ErrorPlace, UserError } from '../core/errors.ts';
import type { LoadedConfig } from './load.ts';
import { BROKER_FORM, BROKER_PATTERN } from './schema.ts';
import { findStack, isStackAlive } from './stack-file.ts';

/** Where the brokers' addresses came from. */
export type BrokersOrigin =
  | { from: 'environment'; variable: 'HIPPO_BROKERS' }
  | { from: 'configuration'; place: ErrorPlace }
  /** `alive: false`: the file exists, but its broker does not run; `hippo up` starts it again. */
  | { from: 'stack'; file: string; alive: boolean };

export interface FoundBrokers {
  brokers: string[];
  origin: BrokersOrigin;
}

/** The brokers to use: `$HIPPO_BROKERS`, else kafka.brokers of hippo.yaml, else the local stack; null if none is known. */
export function findBrokers(loaded: LoadedConfig, env: NodeJS.ProcessEnv): FoundBrokers | null {
  const fromEnvironment = env['HIPPO_BROKERS'] ?? '';
  if (fromEnvironment.trim() !== '') {
    return {
      brokers: splitBrokers(fromEnvironment),
      origin: { from: 'environment', variable: 'HIPPO_BROKERS' },
    };
  }
  const { brokers } = loaded.config.kafka;
  if (brokers !== undefined) {
    return { brokers, origin: { from: 'configuration', place: loaded.place(['kafka', 'brokers']) } };
  }
  const found = findStack(loaded.directory);
  if (found === null || found.stack.kafka === null) return null;
  const { file, stack } = found;
  return { brokers: stack.brokers, origin: { from: 'stack', file, alive: isStackAlive(stack) } };
}

/** @throws UserError if no broker is known; its remedy is `hippo up` */
export function requireBrokers(loaded: LoadedConfig, env: NodeJS.ProcessEnv): FoundBrokers {
  const found = findBrokers(loaded, env);
  if (found !== null) return found;
  throw new UserError('no Kafka broker is known', {
    why: 'Neither $HIPPO_BROKERS nor kafka.brokers in hippo.yaml names one, and no local stack was started here.',
    next: ['hippo up', 'HIPPO_BROKERS=host:9092 hippo …'],
  });
}

const DOCTOR = 'hippo doctor    (finds out what is wrong)';

/** The remedies if no broker answers. They depend on where the addresses came from. */
export function adviceFor(origin: BrokersOrigin): string[] {
  switch (origin.from) {
    case 'environment':
      return [`check $${origin.variable}`, DOCTOR];
    case 'configuration': {
      const { file, line, column } = origin.place;
      return [`check kafka.brokers at ${[file, line, column].join(':')}`, DOCTOR];
    }
    case 'stack':
      return ['hippo up        (starts the local Kafka again)', DOCTOR];
  }
}

function splitBrokers(text: string): string[] {
  const brokers = text.split(',').map((part) => part.trim());
  const wrong = brokers.findIndex((broker) => !BROKER_PATTERN.test(broker));
  if (wrong === -1) return brokers;
  throw new UserError(`$HIPPO_BROKERS: broker ${wrong + 1} of ${brokers.length} must be ${BROKER_FORM}`, {
    next: ['HIPPO_BROKERS=host:9092,host:9093 hippo …'],
  });
}
