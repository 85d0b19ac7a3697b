import type { JsonObject } from '../core/json.ts';
import { isText, name, present, seconds, take, withExtra, writeSeconds } from './fields.ts';
import { isCount, isReceivedMessages, writeReceivedMessages } from './received.ts';
import type { JobStart } from './types.ts';

export function readStart(object: JsonObject): JobStart {
  const { hippo_name, job_name, job_id, start_time, ...extra } = object;
  return {
    kind: 'start',
    hippoName: name(hippo_name, 'hippo_name'),
    jobName: name(job_name, 'job_name'),
    jobId: name(job_id, 'job_id'),
    startTime: seconds(start_time, 'start_time'),
    ...present({
      runKey: take(extra, 'run_key', isText),
      receiveMsgs: take(extra, 'receive_msgs', isReceivedMessages),
      receiveCount: take(extra, 'receive_msgs_count', isCount),
    }),
    extra,
  };
}

export function writeStart(message: JobStart): JsonObject {
  return withExtra(
    {
      hippo_name: message.hippoName,
      job_name: message.jobName,
      job_id: message.jobId,
      start_time: writeSeconds(message.startTime),
      ...(message.runKey === undefined ? {} : { run_key: message.runKey }),
      ...(message.receiveMsgs === undefined
        ? {}
        : { receive_msgs: writeReceivedMessages(message.receiveMsgs) }),
      ...(message.receiveCount === undefined ? {} : { receive_msgs_count: message.receiveCount }),
    },
    message.extra,
  );
}
