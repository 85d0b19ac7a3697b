/** The only importer of execa: every child process of hippo starts here, from an argv array, never through a shell. */
export { execa, ExecaError } from 'execa';
export type { Options as ExecOptions, Result as ExecResult, ResultPromise as ExecProcess } from 'execa';
/** For a process that outlives this one and writes to its own file, which execa does not support. */
export { spawn as spawnDetached } from 'node:child_process';
