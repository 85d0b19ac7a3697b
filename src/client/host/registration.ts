import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isJsonObject, parsePlainJson } from '../../core/json.ts';
import { PROJECT_STATE_DIRECTORY } from '../../core/paths.ts';
import { processExists } from '../../core/process-exists.ts';

/** What `.hippo/client.json` says while a client of the project lives. */
export interface Registration {
  pid: number;
  hippo: string;
  /** ISO 8601. */
  startedAt: string;
  /** `host:port` of /healthz, /readyz and /metrics. */
  http: string | null;
}

/** `client.json`, and of further clients `client-<pid>.json`; a draft is on its way to become one. */
const FILE = /^client(?:-(\d+))?\.(?:json|draft)$/;

/**
 * Writes `.hippo/client.json`; where another client of this project lives on this machine (one of the two stands by),
 * `.hippo/client-<pid>.json`. What clients that were killed have left there is removed.
 *
 * @returns removes the file again; safe to call twice
 */
export function register(directory: string, registration: Registration): () => void {
  const folder = join(directory, PROJECT_STATE_DIRECTORY);
  mkdirSync(folder, { recursive: true });
  removeStale(folder);
  const first = join(folder, 'client.json');
  const file = existsSync(first) ? join(folder, `client-${registration.pid}.json`) : first;
  const draft = join(folder, `client-${registration.pid}.draft`);
  writeFileSync(draft, `${JSON.stringify(registration)}\n`, { mode: 0o600 });
  renameSync(draft, file);
  return () => {
    if (pidIn(file) === registration.pid) rmSync(file, { force: true });
  };
}

function removeStale(folder: string): void {
  for (const name of readdirSync(folder)) {
    const match = FILE.exec(name);
    if (match === null) continue;
    const pid = match[1] === undefined ? pidIn(join(folder, name)) : Number(match[1]);
    if (pid === null || pid === process.pid || !processExists(pid))
      rmSync(join(folder, name), { force: true });
  }
}

function pidIn(file: string): number | null {
  try {
    const value = parsePlainJson(readFileSync(file, 'utf8'));
    const pid = isJsonObject(value) ? value['pid'] : undefined;
    return typeof pid === 'number' && Number.isSafeInteger(pid) && pid > 0 ? pid : null;
  } catch {
    return null;
  }
}
