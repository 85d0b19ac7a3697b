import { basename, dirname, join, relative, resolve } from 'node:path';
import { findUpward } from '../config/find.ts';
import { CONFIG_FILE } from '../config/load.ts';
import { UserError } from '../core/errors.ts';
import { nearMisses } from '../core/near.ts';
import { shellWord } from '../core/shell.ts';
import type { RawAnswers } from './answer.ts';
import { answersFile } from './answers-file.ts';
import { type AnswerSource, collectAnswers } from './collect.ts';
import { typeChoices } from './list.ts';
import { nameProblem } from './name.ts';
import {
  type ProjectFile,
  type TryStep,
  type Variables,
  renderFiles,
  stepsOf,
  variablesOf,
} from './render.ts';
import { type Template, listTemplates } from './template.ts';
import { isEmptyFolder, writeProject } from './write.ts';

export interface NewProjectOptions {
  /** Left out: is asked for. */
  type?: string | undefined;
  /** Left out: is asked for. */
  name?: string | undefined;
  /** Left out: the name, in the working directory. */
  directory?: string | undefined;
  given: RawAnswers;
  /** Where the answers come from that are not given. */
  from: AnswerSource;
  /** Also inside another project. */
  force: boolean;
  /** Writes nothing. */
  dryRun: boolean;
}

export interface NewProject {
  type: string;
  template_version: number;
  name: string;
  /** Absolute. */
  directory: string;
  dry_run: boolean;
  answers: RawAnswers;
  /** The flags that were not given, with the answers that were taken instead. */
  taken: RawAnswers;
  /** The commands that show the project at work, to be typed in its folder. */
  next: TryStep[];
  files: { path: string; bytes: number; mode: string }[];
}

/**
 * Creates a project from a template: collects the answers, renders all files in memory, then writes the folder at once.
 *
 * @throws UserError for a wrong type, name, answer or folder; then nothing has been written
 */
export async function newProject(options: NewProjectOptions): Promise<NewProject> {
  const templates = listTemplates();
  const template = findTemplate(templates, options.type ?? (await askType(templates, options.from)));
  const types = templates.map(({ type }) => type);
  const name = options.name ?? (await askName(template, types, options.from));
  const problem = nameProblem(name, types);
  if (problem !== undefined) {
    throw new UserError(`"${name}" is not a valid name for a hippo`, {
      why: `${problem[0]?.toUpperCase() ?? ''}${problem.slice(1)}.`,
      next: [`hippo new ${template.type} daily-sales`],
    });
  }
  const directory = resolve(options.directory ?? name);
  await isEmptyFolder(directory);
  if (!options.force) refuseInside(directory);
  const answers = await collectAnswers(template, options.given, options.from);
  const variables = variablesOf(template, name, answers.values);
  const files = renderProject(template, name, { answers: answers.raw, variables });
  if (!options.dryRun) await writeProject(directory, files);
  return {
    type: template.type,
    template_version: template.version,
    name,
    directory,
    dry_run: options.dryRun,
    answers: answers.raw,
    taken: answers.taken,
    next: stepsOf(template, variables),
    files: files.map(({ path, content, mode }) => ({
      path,
      bytes: Buffer.byteLength(content),
      mode: mode.toString(8).padStart(4, '0'),
    })),
  };
}

/** A command in a subfolder of a project takes the nearest hippo.yaml, so a project inside another is mostly a mistake. */
function refuseInside(directory: string): void {
  const outer = findUpward(dirname(directory), CONFIG_FILE);
  if (outer === undefined) return;
  const beside = relative(process.cwd(), join(dirname(dirname(outer)), basename(directory)));
  throw new UserError(`${directory} is inside another project`, {
    why: `${outer} is the ${CONFIG_FILE} of that project. Each hippo has a folder of its own, not inside another.`,
    next: [
      `create it beside that project: --directory ${shellWord(beside)}`,
      'or create it here all the same: --force',
    ],
  });
}

/** All files of a project, including the record of its answers. */
function renderProject(
  template: Template,
  name: string,
  { answers, variables }: { answers: RawAnswers; variables: Variables },
): ProjectFile[] {
  const files = renderFiles(template, variables);
  return [answersFile(template, name, answers, files), ...files];
}

async function askType(templates: readonly Template[], from: AnswerSource): Promise<string> {
  const choices = typeChoices(templates);
  if (typeof from !== 'string')
    return from.ask({ message: 'Which type of hippo?', choices, problemOf: () => undefined });
  throw new UserError('TYPE and NAME are missing', {
    why: templates.map(({ type, description }) => `${type}: ${description}`).join('\n'),
    next: [...templates.map(({ type }) => `hippo new ${type} NAME`), 'hippo new --list'],
  });
}

async function askName(template: Template, types: readonly string[], from: AnswerSource): Promise<string> {
  if (typeof from !== 'string')
    return from.ask({ message: 'What is it called?', problemOf: (text) => nameProblem(text, types) });
  throw new UserError('NAME is missing: the name of the new hippo', {
    next: [`hippo new ${template.type} NAME${from === 'sample' ? ' --yes' : ''}`],
  });
}

function findTemplate(templates: readonly Template[], type: string): Template {
  const found = templates.find((template) => template.type === type);
  if (found !== undefined) return found;
  const types = templates.map((template) => template.type);
  const near = nearMisses(type, types);
  throw new UserError(`unknown type of hippo "${type}"`, {
    why: `There is: ${types.join(', ')}.`,
    next: [...(near.length > 0 ? near : types).map((name) => `hippo new ${name} NAME`), 'hippo new --list'],
  });
}
