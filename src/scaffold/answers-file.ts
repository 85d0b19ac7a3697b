import { createHash } from 'node:crypto';
import { stringify } from 'yaml';
import { version } from '../version.ts';
import type { RawAnswers } from './answer.ts';
import { type ProjectFile, projectFile } from './render.ts';
import type { Template } from './template.ts';

/** The record in every generated project of what it was generated from, so that it can be generated again and updated. */
export const ANSWERS_FILE = '.hippo-answers.yaml';

export interface RecordedProject {
  template: string;
  template_version: number;
  /** The version of hippo that wrote the project. */
  hippo: string;
  name: string;
  answers: RawAnswers;
  /** Path to the file's id as git computes it for a blob: git may still have the text that was generated. */
  files: Readonly<Record<string, string>>;
}

export function answersFile(
  template: Template,
  name: string,
  answers: RawAnswers,
  files: readonly ProjectFile[],
): ProjectFile {
  const record: RecordedProject = {
    template: template.type,
    template_version: template.version,
    hippo: version,
    name,
    answers,
    files: Object.fromEntries(files.map((file) => [file.path, blobId(file.content)])),
  };
  const head =
    '# What this project was generated from. `hippo upgrade` reads and writes it; do not edit it.\n';
  return projectFile(ANSWERS_FILE, head + stringify(record, { lineWidth: 0 }));
}

/** The SHA-1 that `git hash-object` gives. */
export function blobId(content: string): string {
  const bytes = Buffer.from(content);
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}
