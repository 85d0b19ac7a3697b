import type { JsonObject } from '../core/json.ts';
import {
  boolean,
  finiteNumber,
  isText,
  name,
  present,
  seconds,
  take,
  withExtra,
  writeSeconds,
} from './fields.ts';
import { isCount, isReceivedMessages, writeReceivedMessages } from './received.ts';
import type { JobFinish } from './types.ts';

export function readFinish(object: JsonObject): JobFinish {
  const { hippo_name, job_name, job_id, is_success, finish_time, duration_time, ...extra } = object;
  return {
    kind: 'finish',
    hippoName: name(hippo_name, 'hippo_name'),
    jobName: name(job_name, 'job_name'),
    jobId: name(job_id, 'job_id'),
    isSuccess: boolean(is_success, 'is_success'),
    finishTime: seconds(finish_time, 'finish_time'),
    durationTime: finiteNumber(duration_time, 'duration_time'),
    ...present({
      runKey: runKeyOf(extra),
      receiveMsgs: take(extra, 'receive_msgs', isReceivedMessages),
      receiveCount: take(extra, 'receive_msgs_count', isCount),
      errorMsg: take(extra, 'error_msg', isText),
    }),
    extra,
  };
}

/** Downstream hippos use the run key in file names, variables and arguments. A value that is not text may mean something else. */
function runKeyOf(extra: JsonObject): string | undefined {
  const found = take(extra, 'run_key', isText);
  return found === undefined ? undefined : name(found, 'run_key');
}

export function writeFinish(message: JobFinish): JsonObject {
  return withExtra(
    {
      hippo_name: message.hippoName,
      job_name: message.jobName,
      job_id: message.jobId,
      is_success: message.isSuccess,
      finish_time: writeSeconds(message.finishTime),
      duration_time: message.durationTime,
      ...(message.runKey === undefined ? {} : { run_key: message.runKey }),
      ...(message.receiveMsgs === undefined
        ? {}
        : { receive_msgs: writeReceivedMessages(message.receiveMsgs) }),
      ...(message.receiveCount === undefined ? {} : { receive_msgs_count: message.receiveCount }),
      ...(message.errorMsg === undefined ? {} : { error_msg: message.errorMsg }),
    },
    message.extra,
  );
}
