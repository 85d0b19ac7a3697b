/** A request and an answer of the protocol as bytes: JSON, or JSON with the tensors' bytes after it. Pure. */
import { isJsonObject, parsePlainJson, type Json } from '../../core/json.ts';
import { type InputTensor, type OutputTensor, TensorProblem, bytesOf } from './tensors.ts';

export interface WantedOutput {
  name: string;
  parameters?: Record<string, unknown>;
}

export interface InferRequest {
  id?: string;
  parameters?: Record<string, unknown>;
  inputs: InputTensor[];
  outputs?: WantedOutput[];
}

/** The bytes of the inputs that came in binary form, by their place among the inputs. */
export type BinaryInputs = ReadonlyMap<number, Buffer>;

/**
 * Takes a body apart.
 *
 * @param jsonLength the header `inference-header-content-length`: where the JSON ends; undefined: nothing follows it
 * @returns the JSON, which is yet to be checked against the schema
 * @throws TensorProblem
 */
export function readMessage(
  body: Buffer,
  jsonLength: string | undefined,
): { json: Json; binary: BinaryInputs } {
  const length = jsonLength === undefined ? body.length : Number(jsonLength);
  if (!Number.isSafeInteger(length) || length < 0 || length > body.length)
    throw new TensorProblem('inference-header-content-length is not the length of a part of the body');
  const json = parsed(body.subarray(0, length));
  return { json, binary: binaryInputs(json, body.subarray(length)) };
}

function parsed(bytes: Buffer): Json {
  try {
    return parsePlainJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Json;
  } catch {
    throw new TensorProblem('the request is not JSON in UTF-8');
  }
}

function binaryInputs(json: Json, bytes: Buffer): BinaryInputs {
  const found = new Map<number, Buffer>();
  const inputs = isJsonObject(json) ? json['inputs'] : undefined;
  let at = 0;
  for (const [index, input] of Array.isArray(inputs) ? inputs.entries() : []) {
    const parameters = isJsonObject(input) ? input['parameters'] : undefined;
    const size =
      parameters !== undefined && isJsonObject(parameters) ? parameters['binary_data_size'] : undefined;
    if (size === undefined) continue;
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0 || at + size > bytes.length)
      throw new TensorProblem(`the body has fewer bytes than "binary_data_size" of its inputs`);
    found.set(index, bytes.subarray(at, at + size));
    at += size;
  }
  if (at < bytes.length)
    throw new TensorProblem('the body has more bytes than "binary_data_size" of its inputs');
  return found;
}

export interface InferAnswer {
  model_name: string;
  model_version: string;
  id?: string;
  outputs: OutputTensor[];
}

/** @returns the body, and where its JSON ends: null where nothing follows it */
export function writeMessage(
  answer: InferAnswer,
  isBinary: (output: string) => boolean,
): { body: Buffer; jsonLength: number | null } {
  const parts: Buffer[] = [];
  const outputs = answer.outputs.map((output) => {
    if (!isBinary(output.name)) return output;
    const bytes = bytesOf(output);
    parts.push(bytes);
    const { name, shape, datatype } = output;
    return { name, shape, datatype, parameters: { binary_data_size: bytes.length } };
  });
  const json = Buffer.from(JSON.stringify({ ...answer, outputs }));
  return { body: Buffer.concat([json, ...parts]), jsonLength: parts.length === 0 ? null : json.length };
}
