import { InterruptedError, UserError } from '../core/errors.ts';

/**
 * Asks for a yes on the terminal. The question goes to stderr.
 *
 * @param unattended the command to type if there is no terminal
 * @throws UserError without a terminal, InterruptedError on Ctrl-C
 */
export async function confirm(question: string, unattended: string, signal: AbortSignal): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new UserError('there is no terminal on which to ask for a confirmation', {
      why: 'Nothing was changed.',
      next: [unattended],
    });
  }
  const { default: ask } = await import('@inquirer/confirm');
  try {
    return await ask({ message: question, default: false }, { output: process.stderr, signal });
  } catch (thrown) {
    // inquirer's own errors for Ctrl-C and for the signal.
    if (
      thrown instanceof Error &&
      (thrown.name === 'ExitPromptError' || thrown.name === 'AbortPromptError')
    ) {
      throw new InterruptedError('interrupted; nothing was changed', { cause: thrown });
    }
    throw thrown;
  }
}
