import { readEnds } from '../attempt-log.ts';
import type { SparkTags } from '../tags.ts';
import { type Application, hasLostSight, submittedIn } from './application.ts';
import { type FindApplications, type Patience, type ApplicationWatch, isAlive } from './watch.ts';

export type Note = (level: 'info' | 'warning', text: string) => void;

export interface YarnAttemptOptions {
  watch: ApplicationWatch;
  tags: SparkTags;
  logFile: string;
  giveUp: number;
  /** Take up what an earlier attempt of the firing has left, instead of ending it. */
  adopt: boolean;
  /** Whether an attempt's end has been reported: nothing of such an attempt is taken up. */
  isJudged: (attemptTag: string) => boolean;
  note: Note;
}

/** How long a submission that was on its way when its process was ended may take to arrive, milliseconds. */
const ARRIVAL = 1_000;

/** The applications of one attempt: found by its tag, and by what its spark-submit has written into the log. */
export class YarnAttempt {
  readonly #options: YarnAttemptOptions;
  #adopted: readonly string[] = [];

  constructor(options: YarnAttemptOptions) {
    this.#options = options;
  }

  /** Whether its spark-submit has lost sight of the application. */
  get lostSight(): boolean {
    return hasLostSight(readEnds(this.#options.logFile));
  }

  /**
   * Before the attempt's process is started: makes sure that no application of the run is alive.
   *
   * @returns how the applications ended that this attempt has taken up instead of starting one; null: start
   * @throws UnknownError when that cannot be made sure
   */
  async settle(signal: AbortSignal): Promise<Application[] | null> {
    const { watch, tags, adopt, note } = this.#options;
    const patience = this.#patience(signal);
    const earlier = await watch.look(tags.run, [], patience);
    const ours = adopt ? earlier.filter((application) => this.#isOurs(application)) : [];
    const succeeded = ours.filter(({ status }) => status === 'succeeded');
    this.#adopted = (succeeded.length > 0 ? succeeded : ours.filter(isAlive)).map(({ id }) => id);
    const unwanted = earlier.filter(({ id, status }) => status === 'alive' && !this.#adopted.includes(id));
    if (unwanted.length > 0) {
      note('warning', `ending ${namesOf(unwanted)} of an earlier attempt`);
      const left: FindApplications = async (patient) =>
        (await watch.look(tags.run, [], patient)).filter(({ id }) => !this.#adopted.includes(id));
      await watch.kill(left, patience);
    }
    if (this.#adopted.length === 0) return null;
    note('info', `taking up ${this.#adopted.join(', ')} of an earlier attempt`);
    return this.ended(signal);
  }

  /** Waits until the attempt's applications have ended. @throws UnknownError when that cannot be learnt */
  ended(signal: AbortSignal): Promise<Application[]> {
    return this.#options.watch.untilEnded(this.#look(), this.#patience(signal));
  }

  /** Has the attempt's applications killed, and waits for their ends. @throws UnknownError when that cannot be confirmed */
  async kill(signal: AbortSignal): Promise<void> {
    const { watch } = this.#options;
    const patience = this.#patience(signal);
    const found = await watch.kill(this.#look(), patience);
    if (found.length > 0) return;
    await watch.pause(ARRIVAL, signal);
    await watch.kill(this.#look(), patience);
  }

  #isOurs({ tags }: Application): boolean {
    return tags.includes(this.#options.tags.firing) && !tags.some((tag) => this.#options.isJudged(tag));
  }

  #look(): FindApplications {
    const { watch, tags, logFile } = this.#options;
    const ids = [...this.#adopted, ...submittedIn(readEnds(logFile))];
    return (patience) => watch.look(tags.attempt, ids, patience);
  }

  #patience(signal: AbortSignal): Patience {
    const { giveUp, note } = this.#options;
    return {
      signal,
      giveUp,
      onSilence: (why) =>
        why === null
          ? note('info', 'a resource manager answers again')
          : note('warning', `no resource manager answers, asking on: ${why}`),
    };
  }
}

function namesOf(applications: readonly Application[]): string {
  return applications.map(({ id }) => id).join(', ');
}
