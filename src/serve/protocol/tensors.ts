/**
 * Tensors of the Open Inference Protocol, version 2, in JSON and in the binary form of its extension. Pure.
 *
 * https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
 * https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
 */

/** What is wrong with a request, as its answer says it. */
export class TensorProblem extends Error {}

/** As a request has it; `data` is missing where the tensor comes in binary form. */
export interface InputTensor {
  name: string;
  shape: number[];
  datatype: string;
  parameters?: Record<string, unknown>;
  data?: unknown;
}

export interface OutputTensor {
  name: string;
  shape: number[];
  datatype: Datatype;
  data: readonly (number | string | boolean)[];
}

interface NumberType {
  bytes: number;
  read: (view: DataView, at: number) => number | bigint;
  write: (view: DataView, at: number, value: number) => void;
  isWhole: boolean;
}

const whole = { isWhole: true };
const broken = { isWhole: false };

/** Little-endian. */
const NUMBERS = {
  FP32: {
    ...broken,
    bytes: 4,
    read: (v, at) => v.getFloat32(at, true),
    write: (v, at, x) => v.setFloat32(at, x, true),
  },
  FP64: {
    ...broken,
    bytes: 8,
    read: (v, at) => v.getFloat64(at, true),
    write: (v, at, x) => v.setFloat64(at, x, true),
  },
  INT8: { ...whole, bytes: 1, read: (v, at) => v.getInt8(at), write: (v, at, x) => v.setInt8(at, x) },
  INT16: {
    ...whole,
    bytes: 2,
    read: (v, at) => v.getInt16(at, true),
    write: (v, at, x) => v.setInt16(at, x, true),
  },
  INT32: {
    ...whole,
    bytes: 4,
    read: (v, at) => v.getInt32(at, true),
    write: (v, at, x) => v.setInt32(at, x, true),
  },
  INT64: {
    ...whole,
    bytes: 8,
    read: (v, at) => v.getBigInt64(at, true),
    write: (v, at, x) => v.setBigInt64(at, BigInt(x), true),
  },
  UINT8: { ...whole, bytes: 1, read: (v, at) => v.getUint8(at), write: (v, at, x) => v.setUint8(at, x) },
  UINT16: {
    ...whole,
    bytes: 2,
    read: (v, at) => v.getUint16(at, true),
    write: (v, at, x) => v.setUint16(at, x, true),
  },
  UINT32: {
    ...whole,
    bytes: 4,
    read: (v, at) => v.getUint32(at, true),
    write: (v, at, x) => v.setUint32(at, x, true),
  },
  UINT64: {
    ...whole,
    bytes: 8,
    read: (v, at) => v.getBigUint64(at, true),
    write: (v, at, x) => v.setBigUint64(at, BigInt(x), true),
  },
} as const satisfies Record<string, NumberType>;

type NumberName = keyof typeof NUMBERS;
export type Datatype = NumberName | 'BOOL' | 'BYTES';

const isNumberName = (name: string): name is NumberName => Object.hasOwn(NUMBERS, name);

/** How many values a shape has room for; no more than `most`. */
export function sizeOf({ name, shape }: Pick<InputTensor, 'name' | 'shape'>, most: number): number {
  const size = shape.reduce((product, length) => product * length, 1);
  if (size > most)
    throw new TensorProblem(`the input "${name}" has ${size} values; at most ${most} are taken`);
  return size;
}

/**
 * The values of a tensor of numbers, row by row.
 *
 * @param binary its bytes, where it came in binary form
 */
export function numbersOf(tensor: InputTensor, binary: Buffer | undefined, most: number): Float64Array {
  const { name, datatype } = tensor;
  if (!isNumberName(datatype))
    throw new TensorProblem(`the input "${name}" is of ${datatype}; numbers are wanted, such as FP64`);
  const size = sizeOf(tensor, most);
  const { bytes, read, isWhole } = NUMBERS[datatype];
  if (binary !== undefined) {
    requireLength(tensor, binary.length, size * bytes, 'bytes');
    const view = viewOf(binary);
    return Float64Array.from({ length: size }, (_, index) =>
      finite(tensor, Number(read(view, index * bytes))),
    );
  }
  const values = flat(tensor, size);
  requireLength(tensor, values.length, size, 'values');
  return Float64Array.from(values, (value) => {
    if (typeof value !== 'number' || (isWhole && !Number.isSafeInteger(value)))
      throw new TensorProblem(
        `the input "${name}" has ${JSON.stringify(value)}, which is not of ${datatype}`,
      );
    return finite(tensor, value);
  });
}

function finite({ name }: InputTensor, value: number): number {
  if (Number.isFinite(value)) return value;
  throw new TensorProblem(`the input "${name}" has a value that is not a finite number`);
}

/** The values of a tensor of texts (BYTES, in UTF-8) or of whole numbers, as texts. */
export function textsOf(tensor: InputTensor, binary: Buffer | undefined, most: number): string[] {
  const { name, datatype } = tensor;
  const size = sizeOf(tensor, most);
  if (datatype !== 'BYTES') {
    if (!isNumberName(datatype) || !NUMBERS[datatype].isWhole)
      throw new TensorProblem(`the input "${name}" is of ${datatype}; BYTES or INT64 are wanted`);
    return binary === undefined
      ? Array.from(numbersOf(tensor, undefined, most), String)
      : wholesIn(tensor, binary, size);
  }
  const values = binary === undefined ? flat(tensor, size) : textsIn(tensor, binary, size);
  requireLength(tensor, values.length, size, 'values');
  return values.map((value) => {
    if (typeof value === 'string') return value;
    throw new TensorProblem(`the input "${name}" has ${JSON.stringify(value)}, which is not of BYTES`);
  });
}

/** All digits of 64 bits: an id may be larger than a JavaScript number. */
function wholesIn(tensor: InputTensor, binary: Buffer, size: number): string[] {
  const { bytes, read } = NUMBERS[tensor.datatype as NumberName];
  requireLength(tensor, binary.length, size * bytes, 'bytes');
  const view = viewOf(binary);
  return Array.from({ length: size }, (_, index) => String(read(view, index * bytes)));
}

/** Each with its length before it, in four bytes. */
function textsIn({ name }: InputTensor, binary: Buffer, size: number): string[] {
  const texts: string[] = [];
  const tooShort = (): TensorProblem =>
    new TensorProblem(`the binary data of the input "${name}" end within a text`);
  let at = 0;
  while (at < binary.length && texts.length <= size) {
    if (at + 4 > binary.length) throw tooShort();
    const length = binary.readUInt32LE(at);
    if (at + 4 + length > binary.length) throw tooShort();
    texts.push(binary.toString('utf8', at + 4, at + 4 + length));
    at += 4 + length;
  }
  return texts;
}

/** The protocol lets a client nest the values by row, or not. */
function flat({ name, data }: InputTensor, size: number): unknown[] {
  if (!Array.isArray(data)) throw new TensorProblem(`the input "${name}" has no "data"`);
  const values: unknown[] = [];
  const open: unknown[][] = [data.toReversed()];
  // Without recursion: lists may be nested at will.
  for (let list = open.at(-1); list !== undefined; list = open.at(-1)) {
    if (list.length === 0) {
      open.pop();
      continue;
    }
    const value = list.pop();
    if (Array.isArray(value)) open.push(value.toReversed());
    else values.push(value);
    if (values.length > size) break;
  }
  return values;
}

function requireLength({ name, shape }: InputTensor, found: number, wanted: number, what: string): void {
  if (found === wanted) return;
  const count = found > wanted ? 'more' : `${found}`;
  throw new TensorProblem(
    `the input "${name}" of shape [${shape.join()}] must have ${wanted} ${what}; it has ${count}`,
  );
}

function viewOf({ buffer, byteOffset, byteLength }: Buffer): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

/** The bytes of a tensor in the binary form. */
export function bytesOf({ datatype, data }: OutputTensor): Buffer {
  if (datatype === 'BYTES') return Buffer.concat(data.flatMap((value) => withLength(String(value))));
  if (datatype === 'BOOL') return Buffer.from(data.map(Number));
  const { bytes, write } = NUMBERS[datatype];
  const buffer = Buffer.alloc(data.length * bytes);
  const view = viewOf(buffer);
  for (const [index, value] of data.entries()) write(view, index * bytes, Number(value));
  return buffer;
}

function withLength(text: string): Buffer[] {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return [length, bytes];
}
