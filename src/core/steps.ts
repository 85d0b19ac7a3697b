/**
 * A plan as a list of steps. A service returns it; `src/ui` runs it as a task list, `--dry-run` prints its titles and
 * tests compare them.
 */
export interface Step<Context = void> {
  title: string;
  /** Why the step has nothing to do; left out if it has. */
  skip?(context: Context): string | false | Promise<string | false>;
  /** @param update shows a detail after the title while the step runs */
  run(context: Context, update: (detail: string) => void): Promise<void>;
}

/** Runs the steps one after the other; the first that throws ends it. */
export type RunSteps = <Context>(steps: readonly Step<Context>[], context: Context) => Promise<void>;
