/** Reading topics without a consumer group: where to begin and end, what to keep, how to print it. */
export { planTail, runTail } from './run.ts';
export { selectTopics, topicKinds } from '../records/reading.ts';
