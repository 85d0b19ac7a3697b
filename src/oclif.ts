/** oclif behind one import of ours: a CommonJS package that is imported dynamically loses its named exports when bundled. */
export { run } from '@oclif/core';
