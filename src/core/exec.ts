/** The only importer of execa: every child process of hippo starts here, from an argv array, never through a shell. */
export { execa, ExecaError } from 'execa';
export type { Options as ExecOptions, Result as ExecResult, ResultPromise as ExecProcess } from 'execa';
/** For a process that outlives us and writes to a file of its own, which execa has no form for. */
export { spawn as spawnDetached } from 'node:child_process';
