import type { Check } from '../check.ts';
import { alerts } from './alerts.ts';
import { disk } from './disk.ts';
import { group } from './group.ts';
import { hippoYaml } from './hippo-yaml.ts';
import { java } from './java.ts';
import { kafka } from './kafka.ts';
import { node } from './node.ts';
import { python } from './python.ts';
import { sources } from './sources.ts';
import { sparkSubmit } from './spark-submit.ts';
import { stack } from './stack.ts';
import { startScripts } from './start-scripts.ts';
import { state } from './state.ts';
import { topics } from './topics.ts';

/** All checks in the order in which they are printed; checks that wait for the network come last. */
export const checks: readonly Check[] = [
  node,
  java,
  python,
  sparkSubmit,
  hippoYaml,
  startScripts,
  disk,
  stack,
  kafka,
  topics,
  state,
  group,
  sources,
  alerts,
];
