import { durationFlag } from './flags.ts';
import { Args, Flags } from './oclif.ts';

export const modelArgs = {
  model: Args.string({
    description: "The model: NAME of this project's hippo, or HIPPO/NAME.",
    required: true,
  }),
};

/** Of the commands that ask a hippo for something. */
export const askingFlags = {
  reason: Flags.string({
    description: 'The reason, kept with the version or the run.',
    helpValue: 'TEXT',
  }),
  by: Flags.string({ description: 'The operator. [default: user@host]', helpValue: 'WHO' }),
};

export const buildFlags = {
  param: Flags.string({
    char: 'p',
    multiple: true,
    helpValue: 'NAME=VALUE',
    description: 'Set a parameter of the builder, as `params` in hippo.yaml allows; may be repeated.',
  }),
  ...askingFlags,
  wait: Flags.boolean({
    char: 'w',
    description: 'Wait until the version is built, or the build has failed.',
  }),
  timeout: durationFlag({ description: 'Wait at most this long.', default: '30m' }),
};

export const promoteFlags = {
  ...askingFlags,
  timeout: durationFlag({
    description: 'Wait at most this long until the version serves.',
    default: '30s',
  }),
};
