import RequestQueue from 'kafkajs/src/network/requestQueue/index.js';

/**
 * kafkajs 2.2.4 re-arms a timer of 1 ms per connection for ever, also with a negative delay, at which Node 24 prints
 * TimeoutNegativeWarning (tulios/kafkajs#1556, #1704). The timer matters only while requests wait for a quota: with
 * nothing pending nothing is scheduled.
 */
const schedule: unknown = Reflect.get(RequestQueue.prototype, 'scheduleCheckPendingRequests');

RequestQueue.prototype.scheduleCheckPendingRequests = function (this: RequestQueue): void {
  if (this.pending.length > 0) Reflect.apply(schedule as () => void, this, []);
};
