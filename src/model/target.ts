/** Which model of which hippo a command means. */
import { type LoadedConfig, hippoName } from '../config/load.ts';
import { MODEL_PATTERN, NAME_PATTERN } from '../config/schema.ts';
import { UserError } from '../core/errors.ts';
import { didYouMean } from '../core/near.ts';

export interface Target {
  hippo: string;
  model: string;
  /** It is this project's hippo, so hippo.yaml says more of it. */
  isOwn: boolean;
}

/**
 * @param text `NAME` of this project's hippo, or `HIPPO/NAME`
 * @throws UserError where it names no model, or this project's hippo does not have it
 */
export function targetOf(text: string, loaded: LoadedConfig): Target {
  const parts = text.split('/');
  const model = parts.at(-1) ?? '';
  const [hippo = ''] = parts.length === 2 ? parts : [];
  if (parts.length > 2 || !MODEL_PATTERN.test(model) || (parts.length === 2 && !NAME_PATTERN.test(hippo)))
    throw new UserError(`"${text}" is not the name of a model`, {
      why: 'It must be NAME or HIPPO/NAME, such as iris or flowers/iris.',
      next: ['hippo model list'],
    });
  if (parts.length === 1 && loaded.file === null)
    throw new UserError(`which hippo's ${model}?`, {
      why: 'There is no hippo.yaml here or above that would say so.',
      next: [`name it: HIPPO/${model}`, 'cd to the folder of the hippo, or give --config FILE'],
    });
  const own = loaded.file === null ? null : hippoName(loaded);
  const target = { hippo: parts.length === 1 ? (own ?? '') : hippo, model };
  const isOwn = target.hippo === own;
  if (isOwn) requireConfigured(target, loaded);
  return { ...target, isOwn };
}

function requireConfigured({ hippo, model }: Omit<Target, 'isOwn'>, loaded: LoadedConfig): void {
  const known = Object.keys(loaded.config.models);
  if (known.includes(model)) return;
  throw new UserError(`${hippo} has no model ${model}`, {
    why:
      didYouMean(model, known) ?? (known.length === 0 ? 'It has no models.' : `It has ${known.join(', ')}.`),
    next: ['hippo config models'],
    place: loaded.place(known.length === 0 ? [] : ['models']),
  });
}
