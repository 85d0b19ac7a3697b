import type { PromptChoice } from './collect.ts';
import { STAGES, type StageId } from './stages.ts';
import { type Template, flagOf, listTemplates } from './template.ts';

/** The types of hippos in the order of the flow: `hippo new --list`. */
export interface TypeList {
  stages: {
    stage: StageId;
    title: string;
    /** What this stage hands to the next; null: it is the last. */
    passes: string | null;
    types: TypeEntry[];
  }[];
}

export interface TypeEntry {
  type: string;
  description: string;
  takes: string;
  gives: string;
  /** The flags of its own, in the order of its questions. */
  flags: string[];
}

/** Stages without a type are left out. */
export function listTypes(templates: readonly Template[] = listTemplates()): TypeList {
  const stages = STAGES.map(({ id, title, passes }) => ({
    stage: id,
    title,
    passes,
    types: templates
      .filter(({ stage }) => stage === id)
      .map(({ type, description, takes, gives, questions }) => ({
        type,
        description,
        takes,
        gives,
        flags: questions.map(flagOf),
      })),
  }));
  return { stages: stages.filter(({ types }) => types.length > 0) };
}

/** The same picture as a question: each stage is a heading above its types. */
export function typeChoices(templates: readonly Template[]): PromptChoice[] {
  return listTypes(templates).stages.flatMap(({ title, types }) =>
    types.map(({ type, takes, gives }, index) => ({
      value: type,
      title: `${takes} → ${gives}`,
      ...(index === 0 && { heading: title }),
    })),
  );
}
