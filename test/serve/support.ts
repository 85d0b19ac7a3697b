import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { type ServeOptions, type ServeReport, serveModels } from '../../src/serve/models-server.ts';
import { type ModelVersion, type WrittenVersion, writeModel } from '../support/model.ts';
import { ask } from '../http/app/support.ts';

/** Versions in a folder of the test, and the model file that names those that serve. */
export class ModelFolder {
  readonly folder: string;
  readonly #written: WrittenVersion[] = [];
  readonly #serving = new Map<string, WrittenVersion | null>();

  constructor(folder: string) {
    this.folder = folder;
  }

  get file(): string {
    return join(this.folder, 'models.json');
  }

  async write(options: ModelVersion): Promise<WrittenVersion> {
    const name = options.name ?? (options.kind === 'classifier' ? 'iris' : 'films');
    const written = await writeModel(join(this.folder, 'models', name), options);
    this.#written.push(written);
    return written;
  }

  /** Moves the pointer of a model, as the client does: the file is replaced. */
  async point(name: string, version: string | null): Promise<void> {
    const written = this.#written.find((one) => one.name === name && one.version === version);
    this.#serving.set(name, written ?? null);
    const models = Object.fromEntries(
      [...this.#serving].map(([model, serving]) => [
        model,
        {
          location: join(this.folder, 'models', model),
          serving:
            serving === null ? null : { version: serving.version, manifest_sha256: serving.manifestSha256 },
          since: '2026-11-28T23:45:39Z',
        },
      ]),
    );
    await writeFile(`${this.file}.draft`, JSON.stringify({ models }));
    await rename(`${this.file}.draft`, this.file);
  }
}

const folders: string[] = [];
const services: { stop: AbortController; ended: Promise<ServeReport> }[] = [];
afterEach(async () => {
  for (const { stop } of services) stop.abort();
  await Promise.all(services.splice(0).map(({ ended }) => ended));
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
});

export async function newModelFolder(): Promise<ModelFolder> {
  const folder = await mkdtemp(join(tmpdir(), 'hippo-serve-'));
  folders.push(folder);
  return new ModelFolder(folder);
}

export interface Service {
  url: string;
  log: Record<string, unknown>[];
  /** As SIGTERM does. */
  readonly stop: () => Promise<ServeReport>;
}

/** Serves in this process, on a free port, until the test ends. */
export async function startService(
  models: ModelFolder,
  { serve = {}, ...more }: Partial<ServeOptions> & { serve?: Record<string, unknown> } = {},
): Promise<Service> {
  // On a busy machine the event loop of a test is late.
  const limits = { lateness: '60s', ...(serve['limits'] as object | undefined) };
  const config = { name: 'shop', serve: { drain: { notice: '0s' }, ...serve, limits } };
  await writeFile(join(models.folder, 'hippo.yaml'), JSON.stringify(config));
  const log: Record<string, unknown>[] = [];
  const listening = Promise.withResolvers<string>();
  const stop = new AbortController();
  const ended = serveModels({
    file: join(models.folder, 'hippo.yaml'),
    profile: undefined,
    cwd: models.folder,
    env: { HIPPO_MODEL_FILE: models.file, HIPPO_PORT: '0' },
    stop: stop.signal,
    log: {
      write: (line) => {
        const entry = JSON.parse(line) as Record<string, unknown>;
        log.push(entry);
        if (entry['message'] === 'serving') listening.resolve(String(entry['address']));
      },
    },
    ...more,
  });
  ended.catch(listening.reject);
  const url = `http://${await listening.promise}`;
  services.push({ stop, ended });
  return {
    url,
    log,
    stop: () => {
      stop.abort();
      return ended;
    },
  };
}

/** Waits until this version answers, as the client does: by /readyz. */
export async function serves(url: string, model: string, version: string): Promise<void> {
  for (;;) {
    const { headers } = await ask(`${url}/readyz`);
    if ((headers.get('hippo-models') ?? '').split(', ').includes(`${model}=${version}`)) return;
  }
}
