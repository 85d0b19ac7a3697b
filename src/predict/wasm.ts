/** scan.wat, compiled. TypeScript knows WebAssembly only with the types of a browser, so what is used of it is declared here. */
import { SCAN_WASM } from './scan-wasm.ts';

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { readonly exports: { readonly scan: Scan } };
  Memory: new (size: { initial: number; maximum: number }) => WasmMemory;
};

/** @returns how many are found. scan.wat says what the parameters are; all but `limit` are whole numbers of 32 bits */
export type Scan = (
  ...parameters: [
    user: number,
    items: number,
    group: number,
    quads: number,
    limit: number,
    index: number,
    found: number,
  ]
) => number;

const PAGE = 2 ** 16;
/** 4 GiB. */
export const MOST_MEMORY = PAGE * PAGE;

/** One for all models, so that a new one runs code that is optimised already. */
let compiled: object | undefined;

/**
 * @param bytes of memory, at most {@link MOST_MEMORY}
 * @throws RangeError where there is none
 */
export function newScan(bytes: number): { scan: Scan; memory: WasmMemory } {
  compiled ??= new WebAssembly.Module(Buffer.from(SCAN_WASM, 'base64'));
  const pages = Math.ceil(bytes / PAGE);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const { scan } = new WebAssembly.Instance(compiled, { env: { memory } }).exports;
  return { scan, memory };
}
