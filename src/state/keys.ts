import type { RunId } from './types.ts';

/** What a record of the state topic is about, as its key says. The names of hippos and jobs have no slash. */
export type StateKey =
  /** `<hippo>/run/<job>/<run key>` */
  | { kind: 'run'; hippo: string; job: string; key: string }
  /** `<hippo>/input/<job>/<need id>/<value>`. A need's id may have a slash, so only the record's value tells the two apart. */
  | { kind: 'input'; hippo: string; job: string; /** `<need id>/<value>` */ input: string }
  /** `<hippo>/run-input/<job>/<run key>/<need id>`: one input of a run with many. Both may have slashes, too. */
  | { kind: 'run-input'; hippo: string; job: string; /** `<run key>/<need id>` */ input: string }
  /** `<hippo>/source/<source>` */
  | { kind: 'source'; hippo: string; source: string }
  /** `<hippo>/announced/<source or service>/<bucket>`: what it has announced, packed. */
  | { kind: 'announced'; hippo: string; source: string; bucket: string }
  /** `<hippo>/produced/<job>/<bucket>`: the events of its outputs, packed as announcements are. */
  | { kind: 'produced'; hippo: string; job: string; bucket: string }
  /** `<hippo>/service/<service>` */
  | { kind: 'service'; hippo: string; service: string }
  /** `<hippo>/model/<model>` */
  | { kind: 'model'; hippo: string; model: string }
  /** `<hippo>/alert/<alert id>`. The id may have slashes. */
  | { kind: 'alert'; hippo: string; alert: string }
  /** `<hippo>/expected/<job>` */
  | { kind: 'expected'; hippo: string; job: string }
  /** `<hippo>/paused/<job, source or service>` */
  | { kind: 'paused'; hippo: string; job: string }
  /** `<hippo>/timed/<job>` */
  | { kind: 'timed'; hippo: string; job: string }
  /** `<hippo>/last-result/<job>` */
  | { kind: 'last-result'; hippo: string; job: string }
  /**
   * `<hippo>/offsets`: the input positions that the other records reflect; `<hippo>/owner`: the client that writes;
   * `<hippo>/probe`: not state, but the mark up to which a client that takes over reads a partition.
   */
  | { kind: 'offsets' | 'owner' | 'probe'; hippo: string }
  /** A kind that this version does not know: a newer hippo's. */
  | { kind: 'unknown'; hippo: string; rest: string };

export function formatStateKey(key: StateKey): string {
  switch (key.kind) {
    case 'run':
      return `${key.hippo}/run/${key.job}/${key.key}`;
    case 'input':
    case 'run-input':
      return `${key.hippo}/${key.kind}/${key.job}/${key.input}`;
    case 'paused':
    case 'expected':
    case 'timed':
    case 'last-result':
      return `${key.hippo}/${key.kind}/${key.job}`;
    case 'source':
      return `${key.hippo}/source/${key.source}`;
    case 'service':
      return `${key.hippo}/service/${key.service}`;
    case 'model':
      return `${key.hippo}/model/${key.model}`;
    case 'alert':
      return `${key.hippo}/alert/${key.alert}`;
    case 'announced':
      return `${key.hippo}/announced/${key.source}/${key.bucket}`;
    case 'produced':
      return `${key.hippo}/produced/${key.job}/${key.bucket}`;
    case 'offsets':
    case 'owner':
    case 'probe':
      return `${key.hippo}/${key.kind}`;
    case 'unknown':
      return `${key.hippo}/${key.rest}`;
  }
}

/**
 * Tells by the bytes of a record's key whether it is of this hippo, so that a reader need not decode the keys of all others. The
 * names of two hippos mostly differ at their end, which is looked at first.
 */
export function keyFilter(hippo: string): (key: Uint8Array | null) => boolean {
  const prefix = new TextEncoder().encode(`${hippo}/`);
  return (key) => {
    if (key === null || key.length < prefix.length) return false;
    for (let index = prefix.length - 1; index >= 0; index -= 1)
      if (key[index] !== prefix[index]) return false;
    return true;
  };
}

/** What the record is about, for sentences: `run load 2017-04-28`, `the pause of load`. */
export function describeStateKey(text: string): string {
  const key = parseStateKey(text);
  switch (key?.kind) {
    case 'run':
      return `run ${key.job} ${key.key}`;
    case 'input':
      return `a landing that ${key.job} remembers`;
    case 'run-input':
      return `an input of a run of ${key.job}`;
    case 'paused':
      return `the pause of ${key.job}`;
    case 'timed':
      return `up to when ${key.job} has run`;
    case 'last-result':
      return `the last result of ${key.job}`;
    case 'source':
      return `the state of source ${key.source}`;
    case 'announced':
      return `what ${key.source} has announced`;
    case 'produced':
      return `what ${key.job} has produced`;
    case 'alert':
      return `alert ${key.alert}`;
    case 'expected':
      return `the next window that ${key.job} expects`;
    case 'service':
      return `the state of service ${key.service}`;
    case 'model':
      return `the versions of model ${key.model}`;
    case 'offsets':
    case 'owner':
    case 'probe':
    case 'unknown':
    case undefined:
      return text;
  }
}

/** The key of what has landed for a job's need. */
export function inputRecordKey(hippo: string, job: string, need: string, value: string): string {
  return formatStateKey({ kind: 'input', hippo, job, input: `${need}/${value}` });
}

/** The key of one input of a run whose inputs have records of their own. */
export function runInputRecordKey(hippo: string, { job, key }: RunId, need: string): string {
  return formatStateKey({ kind: 'run-input', hippo, job, input: `${key}/${need}` });
}

/** @returns undefined for a key that does not begin with the name of a hippo */
export function parseStateKey(text: string): StateKey | undefined {
  const slash = text.indexOf('/');
  if (slash < 1) return undefined;
  const hippo = text.slice(0, slash);
  const rest = text.slice(slash + 1);
  if (rest === 'offsets' || rest === 'owner' || rest === 'probe') return { kind: rest, hippo };
  if (rest.startsWith('alert/') && rest !== 'alert/')
    return { kind: 'alert', hippo, alert: rest.slice('alert/'.length) };
  const [, kind, job = '', , path] =
    /^(run|input|run-input|paused|timed|last-result|expected|source|service|model|announced|produced)\/([^/]+)(\/(.+))?$/s.exec(
      rest,
    ) ?? [];
  const isOfJob = kind === 'paused' || kind === 'timed' || kind === 'last-result' || kind === 'expected';
  if (isOfJob && path === undefined) return { kind, hippo, job };
  if (kind === 'source' && path === undefined) return { kind, hippo, source: job };
  if (kind === 'service' && path === undefined) return { kind, hippo, service: job };
  if (kind === 'model' && path === undefined) return { kind, hippo, model: job };
  if (kind === 'announced' && path !== undefined) return { kind, hippo, source: job, bucket: path };
  if (kind === 'produced' && path !== undefined) return { kind, hippo, job, bucket: path };
  if (kind === 'run' && path !== undefined) return { kind, hippo, job, key: path };
  if ((kind === 'input' || kind === 'run-input') && path !== undefined)
    return { kind, hippo, job, input: path };
  return { kind: 'unknown', hippo, rest };
}
