/**
 * What of oclif runs with a command: its flags, its arguments and their parser. Its help is made when the CLI is built, and its
 * loading of plugins, which takes longer than everything else together, is not needed: a command is a file.
 */
export * as Args from '@oclif/core/args';
export * as Flags from '@oclif/core/flags';
export { parse } from '@oclif/core/parser';
export type { Interfaces } from '@oclif/core';
