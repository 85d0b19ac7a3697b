import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readMessage, writeMessage } from '../../src/serve/protocol/message.ts';
import {
  type OutputTensor,
  TensorProblem,
  bytesOf,
  numbersOf,
  textsOf,
} from '../../src/serve/protocol/tensors.ts';

const MOST = 1_000;
const tensor = (datatype: string, shape: number[], data?: unknown) => ({ name: 'x', datatype, shape, data });

describe('binary tensors', () => {
  const numbers = {
    FP64: fc.double({ noNaN: true, noDefaultInfinity: true }),
    FP32: fc.float({ noNaN: true, noDefaultInfinity: true }),
    INT64: fc.maxSafeInteger(),
    INT32: fc.integer(),
    INT16: fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }),
    INT8: fc.integer({ min: -128, max: 127 }),
    UINT64: fc.maxSafeNat(),
    UINT32: fc.nat(2 ** 32 - 1),
    UINT16: fc.nat(2 ** 16 - 1),
    UINT8: fc.nat(255),
  };
  it.each(Object.entries(numbers))('of %s are read as they were written', (datatype, value) => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 20 }), (data) => {
        const bytes = bytesOf({ ...tensor(datatype, [data.length]), data } as OutputTensor);
        expect([...numbersOf(tensor(datatype, [data.length]), bytes, MOST)]).toEqual(data);
        expect([...numbersOf(tensor(datatype, [data.length], data), undefined, MOST)]).toEqual(data);
      }),
    );
  });

  it('of texts are read as they were written', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 20 }), (data) => {
        const bytes = bytesOf({ name: 'x', datatype: 'BYTES', shape: [data.length], data });
        expect(textsOf(tensor('BYTES', [data.length]), bytes, MOST)).toEqual(data);
      }),
    );
  });

  it('of ids keep all digits of 64 bits', () => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(9_223_372_036_854_775_807n);
    expect(textsOf(tensor('INT64', [1]), bytes, MOST)).toEqual(['9223372036854775807']);
  });

  it('that are damaged are refused, whatever the bytes are', () => {
    const types = fc.constantFrom('BYTES', 'FP64', 'INT32', 'BOOL', 'FP16', 'toString');
    fc.assert(
      fc.property(
        types,
        fc.array(fc.nat(5), { maxLength: 3 }),
        fc.uint8Array({ maxLength: 60 }),
        (datatype, shape, bytes) => {
          for (const read of [numbersOf, textsOf]) {
            try {
              const values = read(tensor(datatype, shape), Buffer.from(bytes), MOST);
              expect(values.length).toBe(shape.reduce((product, length) => product * length, 1));
            } catch (error) {
              expect(error).toBeInstanceOf(TensorProblem);
            }
          }
        },
      ),
    );
  });
});

describe('tensors in JSON', () => {
  it.each([
    [
      [
        [1, 2],
        [3, 4],
      ],
      [1, 2, 3, 4],
    ],
    [
      [1, 2, 3, 4],
      [1, 2, 3, 4],
    ],
    [
      [
        [[1], [2]],
        [[3], [4]],
      ],
      [1, 2, 3, 4],
    ],
  ])('may be nested: %j', (data, expected) => {
    expect([...numbersOf(tensor('FP64', [2, 2], data), undefined, MOST)]).toEqual(expected);
  });

  it.each([
    [tensor('FP64', [2], [1]), 'the input "x" of shape [2] must have 2 values; it has 1'],
    [tensor('FP64', [2], [1, 2, 3]), 'the input "x" of shape [2] must have 2 values; it has more'],
    [tensor('FP64', [1], ['1']), 'the input "x" has "1", which is not of FP64'],
    [tensor('INT64', [1], [1.5]), 'the input "x" has 1.5, which is not of INT64'],
    [tensor('FP64', [1], [Infinity]), 'the input "x" has a value that is not a finite number'],
    [tensor('FP64', [1]), 'the input "x" has no "data"'],
    [tensor('BYTES', [1], ['a']), 'the input "x" is of BYTES; numbers are wanted, such as FP64'],
    [tensor('FP64', [1e6, 1e6], []), 'the input "x" has 1000000000000 values; at most 1000 are taken'],
  ])('are refused: %j', (input, message) => {
    expect(() => numbersOf(input, undefined, MOST)).toThrow(new TensorProblem(message));
  });

  it('that are nested very deeply are read without a crash', () => {
    let data: unknown = [1];
    for (let depth = 0; depth < 100_000; depth += 1) data = [data];
    expect([...numbersOf(tensor('FP64', [1], data), undefined, MOST)]).toEqual([1]);
  });
});

describe('a message', () => {
  it('has the bytes of its tensors after the JSON', () => {
    const outputs: OutputTensor[] = [
      { name: 'a', datatype: 'FP32', shape: [2], data: [1, 2] },
      { name: 'b', datatype: 'BYTES', shape: [1], data: ['é'] },
      { name: 'c', datatype: 'INT64', shape: [1], data: [7] },
    ];
    const { body, jsonLength } = writeMessage(
      { model_name: 'm', model_version: '1', outputs },
      (name) => name !== 'c',
    );
    const json = JSON.parse(body.subarray(0, jsonLength!).toString()) as { outputs: unknown[] };
    expect(json.outputs).toEqual([
      { name: 'a', datatype: 'FP32', shape: [2], parameters: { binary_data_size: 8 } },
      { name: 'b', datatype: 'BYTES', shape: [1], parameters: { binary_data_size: 6 } },
      { name: 'c', datatype: 'INT64', shape: [1], data: [7] },
    ]);
    const { binary } = readMessage(
      Buffer.from(body.toString('latin1').replace('outputs', 'inputs'), 'latin1'),
      String(jsonLength! - 1),
    );
    expect([...binary.keys()]).toEqual([0, 1]);
    expect(textsOf({ name: 'b', datatype: 'BYTES', shape: [1] }, binary.get(1), MOST)).toEqual(['é']);
  });

  it.each([
    ['{"inputs":[]}', '99', 'inference-header-content-length is not the length of a part of the body'],
    ['{"inputs":[]}', '-1', 'inference-header-content-length is not the length of a part of the body'],
    ['{"inputs":[]}', 'x', 'inference-header-content-length is not the length of a part of the body'],
    ['{"inputs":[]}more', '13', 'the body has more bytes than "binary_data_size" of its inputs'],
    [
      '{"inputs":[{"parameters":{"binary_data_size":9}}]}',
      undefined,
      'the body has fewer bytes than "binary_data_size" of its inputs',
    ],
    ['{', undefined, 'the request is not JSON in UTF-8'],
    ['', undefined, 'the request is not JSON in UTF-8'],
  ])('%s with %s is refused', (body, length, message) => {
    expect(() => readMessage(Buffer.from(body), length)).toThrow(new TensorProblem(message));
  });
});
