/**
 * kafkajs's own client, for what an operator does with tools that are not ours: with our patches, without which it sets timers
 * with a negative delay, of which Node warns on stderr.
 */
import kafkajs from 'kafkajs';
import '../../src/kafka/wire/index.ts';

// Node finds some of these only as properties of the default export.
export const {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  ConfigResourceTypes,
  Kafka,
  ResourcePatternTypes,
  logLevel,
} = kafkajs;
