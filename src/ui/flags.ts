import { Flags } from '@oclif/core';
import { DURATION_FORM, parseDuration } from '../core/duration.ts';
import { UserError } from '../core/errors.ts';

/** A flag that takes a duration (`90s`, `2h`, a bare number of seconds) and gives milliseconds. */
export const durationFlag = Flags.custom<number>({
  helpValue: 'DURATION',
  parse: (text, _context, { name }) => {
    const millis = parseDuration(text);
    if (millis !== undefined) return Promise.resolve(millis);
    throw new UserError(`--${name} must be ${DURATION_FORM}; it is ${JSON.stringify(text)}`, {
      next: [`--${name} 30m`],
    });
  },
});
