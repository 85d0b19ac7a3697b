/** What topics, consumer groups and state say of all hippos: read once, or looked at again for only what is new. */
export { Feed, type Found } from './feed.ts';
export { Observer, observe } from './observer.ts';
export { whyGone } from './gone.ts';
export { type InputProgress, inputProgress } from './progress.ts';
export {
  type HippoGroup,
  type KnownRun,
  type PausedJob,
  type Snapshot,
  isOwned,
  isOwnedGroup,
  mayNeedEvents,
  startCommand,
} from './snapshot.ts';
