/** Reading topics without a consumer group: which topics, from where to where, and which records. */
export type { Doubts } from './filter.ts';
export { type Gap, type TailRequest, type TailSummary, tail } from './read-topics.ts';
export { type SpanWords, readSpan } from './span.ts';
export { TOPIC_WORDS, selectTopics, topicKinds } from './topics.ts';
export { type Wanted, type WantedWords, compileWanted } from './wanted.ts';
