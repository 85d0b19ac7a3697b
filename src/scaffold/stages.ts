/**
 * The stages of the flow through hippos, in its order. A template's `stage` is one of them; `passes` is what a stage hands to the
 * next.
 */
export const STAGES = [
  { id: 'land', title: 'Data land', passes: 'partition events' },
  { id: 'etl', title: 'Data are transformed', passes: 'tables and their partition events' },
  { id: 'science', title: 'Models are built and served', passes: 'models, predictions' },
  { id: 'application', title: 'Programs and people are served', passes: null },
] as const;

export type StageId = (typeof STAGES)[number]['id'];

/** The place of a stage in the flow. */
export function orderOf(stage: StageId): number {
  return STAGES.findIndex(({ id }) => id === stage);
}
