import { type LoadedConfig, hippoName } from '../config/load.ts';
import { NAME_PATTERN } from '../config/schema.ts';
import { compileProject } from '../client/host/project.ts';
import type { Millis } from '../core/clock.ts';
import { UserError } from '../core/errors.ts';
import { didYouMean, nearMisses } from '../core/near.ts';
import { shellWord } from '../core/shell.ts';
import type { ScheduleAction } from '../messages/index.ts';
import { readDate } from '../trigger/format.ts';
import { isFiner } from '../windows/units.ts';
import { type Request, operator } from './request.ts';

/** The arguments as typed. */
export interface RequestWords {
  action: ScheduleAction;
  /** `JOB` of this project's hippo, or `HIPPO/JOB`. */
  job: string;
  key: string | null;
  by: string | null;
  reason: string | null;
}

/**
 * Resolves the arguments to a request. For this project's hippo it checks job and key against hippo.yaml; for another hippo
 * it cannot.
 *
 * @throws UserError naming the problem, with similar names and what is allowed
 */
export async function resolveRequest(
  words: RequestWords,
  loaded: LoadedConfig,
  now: Millis,
): Promise<Request> {
  const { action, key } = words;
  const { hippo, job } = target(words.job, loaded);
  const isOwn = loaded.file !== null && hippo === hippoName(loaded);
  const present = isOwn ? await checkOwn({ action, job, key }, loaded, now) : null;
  if (key?.trim() === '') throw new UserError('--key must name a run; it is blank');
  return { hippo, job, action, key: key ?? present, by: words.by ?? operator(), reason: words.reason };
}

/** The request as it would be for a run that hippo.yaml does not have any more; null: it does not settle one run. */
export function goneRequest(words: RequestWords, loaded: LoadedConfig): Request | null {
  const { action, key } = words;
  if ((action !== 'cancel' && action !== 'mark_success') || key === null || key.trim() === '') return null;
  return { ...target(words.job, loaded), action, key, by: words.by ?? operator(), reason: words.reason };
}

function target(text: string, loaded: LoadedConfig): { hippo: string; job: string } {
  const parts = text.split('/');
  if (parts.length > 2 || parts.some((part) => !NAME_PATTERN.test(part))) {
    throw new UserError(`"${text}" is not the name of a job`, {
      why: 'It must be JOB or HIPPO/JOB, such as load or etl/load.',
      next: ['hippo config jobs'],
    });
  }
  const [first = '', second] = parts;
  if (second !== undefined) return { hippo: first, job: second };
  if (loaded.file !== null) return { hippo: hippoName(loaded), job: first };
  throw new UserError(`which hippo's ${first}?`, {
    why: 'There is no hippo.yaml here or above that would say so.',
    next: [`name it: HIPPO/${first}`, 'cd to the folder of the hippo, or give --config FILE'],
  });
}

/** What has a name among those of jobs, and no runs. */
const OTHER_KINDS = [
  {
    section: 'sources',
    noun: 'source',
    can: 'A source can be scanned, paused and resumed.',
    next: ['hippo source scan', 'hippo job pause'],
  },
  {
    section: 'services',
    noun: 'service',
    can: 'A service can be paused, which stops it, and resumed.',
    next: ['hippo job pause', 'hippo job resume'],
  },
] as const;

/** @returns the run that is meant if none is named, as far as that is known without the hippo */
async function checkOwn(
  { action, job: name, key }: Pick<Request, 'action' | 'job' | 'key'>,
  loaded: LoadedConfig,
  now: Millis,
): Promise<string | null> {
  const { hippo, definition } = await compileProject(loaded);
  const verb = `hippo job ${action.replace('_', '-')}`;
  const job = definition.jobs.get(name);
  const canPause = action === 'pause' || action === 'resume';
  const other = OTHER_KINDS.find(({ section }) => definition[section].has(name));
  if (other !== undefined) {
    if (canPause) return null;
    throw new UserError(`${name} is a ${other.noun}, not a job`, {
      why: other.can,
      next: other.next.map((command) => `${command} ${name}`),
      place: loaded.place([other.section, name]),
    });
  }
  if (job === undefined) {
    const others = canPause ? [...definition.sources.keys(), ...definition.services.keys()] : [];
    const names = [...definition.jobs.keys(), ...others];
    const near = nearMisses(name, names).map((one) => `${verb} ${one}`);
    const withMembers = OTHER_KINDS.map(({ section }) => section).filter(
      (section) => definition[section].size > 0,
    );
    const sections = ['jobs', ...(canPause ? withMembers : [])];
    throw new UserError(`${hippo} has no job${canPause ? ', source or service' : ''} ${name}`, {
      why:
        didYouMean(name, names) ?? (names.length === 0 ? 'It has no jobs.' : `It has ${names.join(', ')}.`),
      next: near.length > 0 ? near : sections.map((section) => `hippo config ${section}`),
      place: loaded.place(names.length === 0 ? [] : ['jobs']),
    });
  }
  if (job.unit === null) return null;
  const { calendar } = definition;
  const example = calendar.at(job.unit, now).key;
  if (key === null) return action === 'mark_success' ? example : null;
  if (calendar.ofKey(job.unit, key)?.key === key) return key;
  const { noun } = calendar.units.runnable(job.unit).window;
  const date = readDate(key, []);
  const meant =
    date === undefined || isFiner(job.unit, date.unit)
      ? undefined
      : calendar.ofDate(job.unit, date.from)[0]?.key;
  throw new UserError(`--key ${shellWord(key)} is not a run key`, {
    why: `${hippo}/${name} runs every ${noun}; the present one is ${example}.`,
    next: meant === undefined ? [] : [`${verb} ${name} --key ${meant}`],
    place: loaded.place(['jobs', name, 'every']),
  });
}
