/** Reading topics without a consumer group: where to begin and end, what to keep, how to print it. */
export { envelopeLine, readLine } from './envelope.ts';
export { printTail } from './print.ts';
export { readSpan } from './request.ts';
export { selectTopics, topicKinds } from './topics.ts';
export { tail } from './tail.ts';
