import type { Json, JsonObject } from '../core/json.ts';
import { Refusal } from './decode.ts';
import { integer, text, withExtra } from './fields.ts';
import type { ServiceHealth } from './types.ts';

export function readHealth(object: JsonObject): ServiceHealth {
  const {
    clientIP,
    path,
    service_name,
    monitor_pid,
    service_pid,
    exec_time,
    is_success,
    error_msg,
    ...others
  } = object;
  const { coordAddress, interval, user, ...extra } = others;
  return {
    kind: 'health',
    clientIp: text(clientIP, 'clientIP'),
    path: text(path, 'path'),
    serviceName: text(service_name, 'service_name'),
    monitorPid: integer(monitor_pid, 'monitor_pid'),
    servicePid: integer(service_pid, 'service_pid'),
    execTime: integer(exec_time, 'exec_time'),
    isSuccess: zeroOrOne(is_success, 'is_success'),
    errorMsg: text(error_msg, 'error_msg'),
    coordAddress: text(coordAddress, 'coordAddress'),
    interval: integer(interval, 'interval'),
    user: user === undefined ? '' : text(user, 'user'),
    extra,
  };
}

/** Always all eleven fields: an existing manager refuses a message that lacks one. */
export function writeHealth(health: ServiceHealth): JsonObject {
  return withExtra(
    {
      clientIP: health.clientIp,
      path: health.path,
      service_name: health.serviceName,
      monitor_pid: health.monitorPid,
      service_pid: health.servicePid,
      exec_time: health.execTime,
      is_success: health.isSuccess,
      error_msg: health.errorMsg,
      coordAddress: health.coordAddress,
      interval: health.interval,
      user: health.user,
    },
    health.extra,
  );
}

function zeroOrOne(value: Json | undefined, key: string): 0 | 1 {
  if (value !== 0 && value !== 1) throw new Refusal('must be 0 or 1', key);
  return value;
}
