import { dirname, join } from 'node:path';
import { findUpward } from '../config/find.ts';
import { PROJECT_STATE_DIRECTORY } from '../core/paths.ts';

/** Where a local stack keeps its files. */
export interface StackPlace {
  /** The project's folder: the one that holds `.hippo`. */
  directory: string;
  state: string;
  /** Kafka's settings, data and log. */
  kafka: string;
  /** PostgreSQL's password, data and log. */
  postgres: string;
  /** The file that {@link exclusively} locks, so that only one of two `hippo up` starts the broker. */
  lock: string;
}

/** The stack that this folder uses: the one of the nearest `.hippo/stack.json`, else its own. */
export function stackPlace(directory: string): StackPlace {
  const file = findUpward(directory, join(PROJECT_STATE_DIRECTORY, 'stack.json'));
  const root = file === undefined ? directory : dirname(dirname(file));
  const state = join(root, PROJECT_STATE_DIRECTORY);
  return {
    directory: root,
    state,
    kafka: join(state, 'kafka'),
    postgres: join(state, 'postgres'),
    lock: join(state, 'stack'),
  };
}
