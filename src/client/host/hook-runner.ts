import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError, messageOf } from '../../core/errors.ts';
import { importProjectModule, projectModuleNames } from '../../core/project-module.ts';
import { parseNative } from '../../core/json.ts';
import { formatDuration } from '../../core/duration.ts';
import type { HookDecision, HookOutcome, HookRun, Hooks } from '../hooks.ts';
import { within } from '../../core/deadline.ts';

const FILES = projectModuleNames('client-app/client');
const HOOK_DEADLINE = 30_000;
const NAMES = ['beforeSubmit', 'afterFinish'] as const;

/** A hippo's hooks behind a deadline; what they return has been checked. */
export interface HookRunner {
  /** The file, relative to the project; null when there is none. */
  readonly file: string | null;
  /** @throws Error if the hook throws, takes too long or returns a value that is not a decision */
  beforeSubmit: (run: HookRun) => Promise<HookDecision>;
  afterFinish: (run: HookRun, outcome: HookOutcome) => Promise<void>;
}

/**
 * @param directory the project
 * @param deadline how long a hook may take, milliseconds
 * @throws UserError when the file cannot be loaded or exports no hooks: so that the client does not start with broken
 * hooks
 */
export async function loadHooks(directory: string, deadline = HOOK_DEADLINE): Promise<HookRunner> {
  const file = FILES.find((candidate) => existsSync(join(directory, candidate)));
  if (file === undefined) return hookRunner(null, {}, deadline);
  let exported: unknown;
  try {
    exported = await importProjectModule(join(directory, file));
  } catch (error) {
    throw new UserError(`the hooks in ${file} cannot be loaded`, {
      why: messageOf(error),
      place: { file },
      next: [`correct ${file}, or remove it (hooks are optional)`],
      cause: error,
    });
  }
  return hookRunner(file, asHooks(exported, file), deadline);
}

function asHooks(exported: unknown, file: string): Hooks {
  const wrong = (why: string): UserError =>
    new UserError(`the hooks in ${file} cannot be used`, {
      why,
      place: { file },
      next: ['export default { beforeSubmit(run) { … } } satisfies Hooks'],
    });
  if (typeof exported !== 'object' || exported === null) throw wrong('its default export is not an object');
  for (const [name, value] of Object.entries(exported)) {
    if (!NAMES.some((known) => known === name))
      throw wrong(`${name} is not a hook; the hooks are ${NAMES.join(' and ')}`);
    if (typeof value !== 'function') throw wrong(`${name} is not a function`);
  }
  return exported;
}

function hookRunner(file: string | null, hooks: Hooks, deadline: number): HookRunner {
  return {
    file,
    async beforeSubmit(run) {
      if (hooks.beforeSubmit === undefined) return {};
      return asDecision(await called('beforeSubmit', deadline, () => hooks.beforeSubmit?.(run)));
    },
    async afterFinish(run, outcome) {
      if (hooks.afterFinish !== undefined)
        await called('afterFinish', deadline, () => hooks.afterFinish?.(run, withNativeResult(outcome)));
    },
  };
}

function withNativeResult(outcome: HookOutcome): HookOutcome {
  if (outcome.result === undefined) return outcome;
  return { ...outcome, result: parseNative(JSON.stringify(outcome.result)).value };
}

/**
 * A hook that hangs must not hold the run for ever. A hook that never yields to the event loop blocks the client; no
 * deadline can stop it.
 */
async function called<T>(name: string, millis: number, call: () => T | Promise<T>): Promise<T> {
  const answer = (async () => call())().catch((error: unknown) => {
    throw new Error(`the hook ${name} threw: ${messageOf(error)}`, { cause: error });
  });
  return within(answer, {
    millis,
    late: () => {
      throw new Error(`the hook ${name} took longer than ${formatDuration(millis)}`);
    },
  });
}

/** What a process can be started with. */
function isVariable([name, value]: [name: string, value: unknown]): boolean {
  return /^[^=\0]+$/.test(name) && typeof value === 'string' && !value.includes('\0');
}

/** A hook's result is checked, because the hook is the project's own code and its types are not checked at run time. */
export function asDecision(value: unknown): HookDecision {
  if (value === undefined || value === null) return {};
  const wrong = (why: string): Error => new Error(`the hook beforeSubmit did not return a decision: ${why}`);
  if (typeof value !== 'object') throw wrong(`a ${typeof value}`);
  const decision = value as Record<string, unknown>;
  if (decision['veto'] !== undefined) {
    if (typeof decision['veto'] !== 'string') throw wrong('veto is not a string');
    return { veto: decision['veto'] };
  }
  const { args, env } = decision;
  if (
    args !== undefined &&
    !(Array.isArray(args) && args.every((word) => typeof word === 'string' && !word.includes('\0')))
  ) {
    throw wrong('args is not a list of strings');
  }
  if (
    env !== undefined &&
    !(typeof env === 'object' && env !== null && Object.entries(env).every(isVariable))
  ) {
    throw wrong('env is not a map of strings');
  }
  return {
    ...(args === undefined ? {} : { args: args as string[] }),
    ...(env === undefined ? {} : { env: env as Record<string, string> }),
  };
}
