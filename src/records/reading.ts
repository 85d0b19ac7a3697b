/** Reading topics without a consumer group: which topics, from where to where, and which records. */
export type { Doubts } from './filter.ts';
export { type Gap, type ReadTopicsRequest, type ReadTopicsSummary, readTopics } from './read-topics.ts';
export { type SpanWords, readSpan } from './span.ts';
export { TOPIC_WORDS, deadLetterTopics, selectTopics, topicKinds } from './topics.ts';
export { type Selection, type SelectionWords, compileSelection } from './selection.ts';
