import type { JsonObject } from '../core/json.ts';
import { name, withExtra } from './fields.ts';
import type { ModelMessage } from './types.ts';

export function readModel(object: JsonObject): ModelMessage {
  const { message, model, ...extra } = object;
  return {
    kind: 'model',
    message: name(message, 'message'),
    ...(model === undefined ? {} : { model: name(model, 'model') }),
    extra,
  };
}

export function writeModel({ message, model, extra }: ModelMessage): JsonObject {
  return withExtra({ message, ...(model === undefined ? {} : { model }) }, extra);
}
