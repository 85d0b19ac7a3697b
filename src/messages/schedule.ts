import type { Json, JsonObject } from '../core/json.ts';
import { Refusal } from './decode.ts';
import { isNote, name, present, take, withExtra } from './fields.ts';
import { type ManualRequest, SCHEDULE_ACTIONS, type ScheduleAction } from './types.ts';

export function readSchedule(object: JsonObject): ManualRequest {
  const { hippo_name, job_name, action, run_key, ...extra } = object;
  return {
    kind: 'schedule',
    hippoName: name(hippo_name, 'hippo_name'),
    jobName: name(job_name, 'job_name'),
    action: readAction(action),
    // A malformed value must not stay among the unknown fields: the request would then mean another run.
    ...(run_key === undefined ? {} : { runKey: name(run_key, 'run_key') }),
    ...present({ by: take(extra, 'by', isNote('by')), reason: take(extra, 'reason', isNote('reason')) }),
    extra,
  };
}

export function writeSchedule(request: ManualRequest): JsonObject {
  return withExtra(
    {
      hippo_name: request.hippoName,
      job_name: request.jobName,
      // Left out for `run`, as services write it that have no other action.
      ...(request.action === 'run' ? {} : { action: request.action }),
      ...(request.runKey === undefined ? {} : { run_key: request.runKey }),
      ...(request.by === undefined ? {} : { by: request.by }),
      ...(request.reason === undefined ? {} : { reason: request.reason }),
    },
    request.extra,
  );
}

function readAction(value: Json | undefined): ScheduleAction {
  if (value === undefined) return 'run';
  const action = SCHEDULE_ACTIONS.find((known) => known === value);
  if (action === undefined) throw new Refusal(`must be one of ${SCHEDULE_ACTIONS.join(', ')}`, 'action');
  return action;
}
