import type { Json, JsonObject } from '../core/json.ts';
import { Refusal, typeName } from './decode.ts';
import { isText, name, present, seconds, take, text, withExtra } from './fields.ts';
import { ALERT_CONDITIONS, type Alert, type AlertCondition } from './types.ts';

export function readAlert(object: JsonObject): Alert {
  const { alert_id, state, condition, hippo_name, subject, since, time, text: said, ...extra } = object;
  const runKey = take(extra, 'run_key', isText);
  const next = take(extra, 'next', isTexts);
  return {
    kind: 'alert',
    alertId: name(alert_id, 'alert_id'),
    state: stateOf(state),
    condition: conditionOf(condition),
    hippoName: name(hippo_name, 'hippo_name'),
    subject: text(subject, 'subject'),
    ...present({ runKey, next }),
    since: seconds(since, 'since'),
    time: seconds(time, 'time'),
    text: text(said, 'text'),
    extra,
  };
}

export function writeAlert(alert: Alert): JsonObject {
  return withExtra(
    present({
      alert_id: alert.alertId,
      state: alert.state,
      condition: alert.condition,
      hippo_name: alert.hippoName,
      subject: alert.subject,
      run_key: alert.runKey,
      since: alert.since,
      time: alert.time,
      text: alert.text,
      next: alert.next === undefined ? undefined : [...alert.next],
    }),
    alert.extra,
  );
}

function stateOf(value: Json | undefined): Alert['state'] {
  if (value !== 'firing' && value !== 'resolved')
    throw new Refusal(`must be firing or resolved, not ${describe(value)}`, 'state');
  return value;
}

function conditionOf(value: Json | undefined): AlertCondition {
  const known = ALERT_CONDITIONS.find((condition) => condition === value);
  if (known === undefined)
    throw new Refusal(`must be one of ${ALERT_CONDITIONS.join(', ')}, not ${describe(value)}`, 'condition');
  return known;
}

function describe(value: Json | undefined): string {
  return typeof value === 'string' ? JSON.stringify(value) : typeName(value);
}

function isTexts(value: Json): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
