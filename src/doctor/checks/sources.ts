import type { WatchedSource } from '../../client/host/sources.ts';
import { groupName, identityOf } from '../../config/groups.ts';
import type { Millis } from '../../core/clock.ts';
import { within } from '../../core/deadline.ts';
import { formatDuration } from '../../core/duration.ts';
import type { SourceReport } from '../../landings/list.ts';
import { type Check, type Diagnosis, type Finding, error, ok, skipped, warning } from '../check.ts';
import { unreachable } from './kafka.ts';

/** How long a place may take to answer, milliseconds. */
const PATIENCE = 5_000;
/** A source that has not been scanned for so many `every` is late. */
const LATE = 3;
/** A scan may be under way: it is not late before so many times the last one's duration. */
const SLOW = 5;
/** Below that nothing is late, milliseconds: a client may just be starting. */
const LATE_AT_LEAST = 60_000;

/** This hippo's sources: whether their places can be read from here, and what their last scans came to. */
export const sources: Check = {
  id: 'sources',
  title: 'Sources',
  category: 'kafka',
  about: "this hippo's sources: readable, scanned, paused",
  async run(environment, signal): Promise<Diagnosis> {
    const { project } = environment;
    if (project.state !== 'loaded') return skipped('There is no hippo.yaml here or above with sources');
    if (Object.keys(project.loaded.config.sources).length === 0) return skipped('hippo.yaml has no sources');
    const [{ compileSources }, { readSources, reportOf }] = await Promise.all([
      import('../../client/host/sources.ts'),
      import('../../landings/list.ts'),
    ]);
    // What cannot be compiled is a finding of the check of hippo.yaml.
    const watched = compileSources(project.loaded, []);
    const looking = Promise.all(watched.map((source) => whyUnreadable(source, signal)));
    const kafka = (await unreachable(environment)) === undefined ? await environment.kafka() : null;
    const { config } = project.loaded;
    const [known, clients] =
      kafka === null
        ? [null, 0]
        : await Promise.all([
            readSources(kafka, project.loaded, project.hippo),
            kafka
              .describeGroup(groupName(identityOf(config, project.hippo)))
              .then(({ members }) => members.length),
          ]);
    const looks = await looking;
    const findings = watched.flatMap((source, index) =>
      findingsOf({
        report: reportOf(source, known?.get(source.source.name)),
        every: source.every,
        unreadable: looks[index] ?? null,
        isWatched: clients > 0,
        now: Date.now(),
      }),
    );
    const noun = watched.length === 1 ? 'source' : 'sources';
    return {
      summary: `${watched.length} ${noun}`,
      findings: kafka === null ? [...findings, NO_KAFKA] : findings,
    };
  },
};

const NO_KAFKA: Finding = {
  status: 'skipped',
  text: 'Kafka cannot be reached, so it is not known what was scanned',
};

export interface ExaminedSource {
  report: SourceReport;
  /** The pause between two scans, milliseconds. */
  every: Millis;
  /** Why its place cannot be read from this machine; null: it can. */
  unreadable: string | null;
  /** Whether a client of the hippo runs. */
  isWatched: boolean;
  now: Millis;
}

export function findingsOf({ report, every, unreadable, isWatched, now }: ExaminedSource): Finding[] {
  const { name, place, last_scan: scan, paused } = report;
  const at = scan === null || scan.at === null ? null : Date.parse(scan.at);
  const ago = at === null ? '' : `${formatDuration(Math.max(0, now - at))} ago`;
  const look = { commands: [`hippo source scan ${name} --dry-run`] };
  const findings: Finding[] = [];
  if (unreadable !== null) {
    const text = `${name}: ${unreadable}`;
    // The client may run on another machine, and has read it there.
    const isReadElsewhere = scan !== null && scan.error === null;
    findings.push(
      isReadElsewhere
        ? warning(`${text} (seen from this machine; its client has read it ${ago})`, look)
        : error(text, look),
    );
  }
  const failure = scan?.error ?? null;
  if (failure !== null && failure !== unreadable)
    findings.push(error(`${name}: the last scan, ${ago}, did not come to its end: ${failure}`, look));
  if (paused !== null) {
    const by = paused.by === null ? '' : ` by ${paused.by}`;
    const since = paused.at === null ? '' : ` since ${paused.at}`;
    const reason = paused.reason === null ? '' : `: ${paused.reason}`;
    const remedy = { commands: [`hippo job resume ${name}`] };
    findings.push(warning(`${name} is paused${by}${since}, so it is not scanned${reason}`, remedy));
  } else if (scan !== null && at !== null && isWatched) {
    const late = Math.max(LATE * every + SLOW * scan.took_ms, LATE_AT_LEAST);
    if (now - at > late) {
      const text = `${name}: the last scan ended ${ago}, although \`every\` is ${formatDuration(every)}`;
      const remedy = { commands: [`hippo source scan ${name}`] };
      findings.push(
        warning(text, { ...remedy, text: 'A scan may take long, or the place may not answer the client.' }),
      );
    }
  }
  if (findings.length > 0) return findings;
  if (!report.scanned) return [ok(`${name}: takes reports at ${place}; ${report.known} known`)];
  const facts =
    scan === null
      ? 'not scanned yet'
      : `${scan.listed} listed ${ago}, ${scan.skipped} skipped, ${report.known} known`;
  return [ok(`${name}: ${place} can be read; ${facts}`)];
}

/** Looks at the beginning only: a whole scan may take minutes. */
async function whyUnreadable({ scanner }: WatchedSource, signal: AbortSignal): Promise<string | null> {
  const { describeAway, isScanError } = await import('../../sources/index.ts');
  const stop = new AbortController();
  const look = async (): Promise<string | null> => {
    try {
      const both = AbortSignal.any([signal, stop.signal]);
      if (scanner.look !== undefined) {
        await scanner.look(both);
        return null;
      }
      const landings = scanner.scan(both, () => undefined)[Symbol.asyncIterator]();
      await landings.next();
      await landings.return?.();
      return null;
    } catch (thrown) {
      if (isScanError(thrown)) return describeAway(thrown);
      throw thrown;
    }
  };
  const late = (): string => `${scanner.place} has not answered within ${formatDuration(PATIENCE)}`;
  try {
    return await within(look(), { millis: PATIENCE, late, signal });
  } finally {
    stop.abort();
  }
}
