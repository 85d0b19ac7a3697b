/** The machine that hippo runs on: its programs, their versions, its processes, its Spark. */
export {
  type ProgramAnswer,
  type Variables,
  askProgram,
  findProgram,
  isExecutable,
  javaCommand,
} from './programs.ts';
export {
  type ProcessInfo,
  isAlive,
  listProcesses,
  parseProcesses,
  parseStat,
  terminate,
} from './processes.ts';
export { type SparkPlace, type SparkSource, sparkPlace } from './spark.ts';
export { REQUIRED, atLeast, javaVersionIn, pythonVersionIn, versionIn } from './versions.ts';
export { clientCommand, clientCommandFor } from './client-command.ts';
