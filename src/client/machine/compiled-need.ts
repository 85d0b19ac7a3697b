/** What a need is compiled in, and to. */
import type { Calendar, TemplateProblem } from '../../windows/index.ts';
import type { WindowUnit } from '../../windows/units.ts';
import type { ConditionCompiler } from './condition.ts';
import type { Need } from './definition.ts';

/** What a need is compiled in: the job's windows (null for `every: event`) and the names that `each` gives. */
export interface NeedContext {
  calendar: Calendar;
  unit: WindowUnit | null;
  names: Readonly<Record<string, string>>;
  /** Needed where hippo.yaml has conditions. */
  compileCondition?: ConditionCompiler | undefined;
}

/** A problem and where it stands inside the need. */
export interface NeedProblem extends TemplateProblem {
  path: (string | number)[];
}
export type CompiledNeed = { ok: true; need: Need } | { ok: false; problems: NeedProblem[] };
