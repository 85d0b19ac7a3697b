import type { Millis } from '../../../core/clock.ts';
import { messageOf } from '../../../core/errors.ts';
import type { Config } from '../../../config/schema.ts';
import type { Submission } from '../../machine/types.ts';
import { attemptTag, ownerTag, sparkTags } from '../tags.ts';
import { hadoopUser } from '../../../core/user-name.ts';
import { type Note, YarnAttempt } from './attempt.ts';
import { ResourceManagers } from './resource-managers.ts';
import { type FindApplications, ApplicationWatch, confirmationDeadline, isAlive } from './watch.ts';
import type { Backoff } from '../../../core/backoff.ts';

export interface YarnClusterOptions {
  managers: ResourceManagers;
  /** `<cluster id>/<prefix>/<name>`, as `$HIPPO_OWNER` has it. */
  owner: string;
  /** `client.on_stop`: a stop leaves applications at work, and the next owner takes them up. */
  detach: boolean;
  giveUp: Millis;
  /** How long an end of the client, or a takeover, waits for a confirmation. */
  grace: Millis;
  pace?: Backoff;
}

/** Attempts whose end is known; more are not remembered. */
const JUDGED = 10_000;

/** The YARN cluster on which a hippo's jobs run in cluster mode. */
export class YarnCluster {
  readonly #options: YarnClusterOptions;
  readonly #watch: ApplicationWatch;
  readonly #judged = new Set<string>();

  constructor(options: YarnClusterOptions) {
    this.#options = options;
    this.#watch = new ApplicationWatch(options.managers, options.pace);
  }

  get detach(): boolean {
    return this.#options.detach;
  }

  attempt(submission: Submission, logFile: string, note: Note): YarnAttempt {
    const { owner, giveUp, detach } = this.#options;
    return new YarnAttempt({
      watch: this.#watch,
      tags: sparkTags(owner, submission),
      logFile,
      giveUp,
      adopt: detach,
      isJudged: (tag) => this.#judged.has(tag),
      note,
    });
  }

  /** The attempt's end has been reported. */
  judged(attemptId: string): void {
    this.#judged.add(attemptTag(this.#options.owner, attemptId));
    const [oldest] = this.#judged;
    if (this.#judged.size > JUDGED && oldest !== undefined) this.#judged.delete(oldest);
  }

  /**
   * Ends what earlier owners of this hippo have left at work, but for the attempts in `spare`; with `detach` it is left, for
   * the attempts that take it up. Whatever cannot be confirmed is made sure of before a run's next attempt.
   *
   * @returns how many there were
   */
  async endOrphans(spare: readonly string[], note: Note): Promise<number> {
    const { owner, detach, grace } = this.#options;
    if (detach) return 0;
    const spared = spare.map((attemptId) => attemptTag(owner, attemptId));
    const patience = { signal: confirmationDeadline(grace), giveUp: grace, onSilence: () => undefined };
    const found = new Set<string>();
    const orphans: FindApplications = async (patient) => {
      const all = await this.#watch.look(ownerTag(owner), [], patient);
      const lost = all.filter(({ tags }) => !tags.some((tag) => spared.includes(tag)));
      for (const application of lost) if (isAlive(application)) found.add(application.id);
      return lost;
    };
    try {
      await this.#watch.kill(orphans, patience);
    } catch (error) {
      note('warning', `YARN: what earlier owners have left could not be ended: ${messageOf(error)}`);
    }
    return found.size;
  }
}

/** @returns null where hippo.yaml names no resource manager */
export function yarnCluster(
  { yarn, client }: Pick<Config, 'yarn' | 'client'>,
  owner: string,
  env: NodeJS.ProcessEnv,
): YarnCluster | null {
  if (yarn.resource_managers === undefined) return null;
  return new YarnCluster({
    managers: new ResourceManagers({
      addresses: yarn.resource_managers,
      user: yarn.user ?? hadoopUser(env),
      timeout: yarn.request_timeout,
    }),
    owner,
    detach: client.on_stop === 'detach',
    giveUp: yarn.give_up,
    grace: client.kill_grace,
  });
}
