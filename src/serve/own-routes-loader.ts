import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { UserError, messageOf } from '../core/errors.ts';
import { importProjectModule, projectModuleNames } from '../core/project-module.ts';
import { HttpProblem } from '../http/index.ts';
import type { ModelSlot } from './engine.ts';
import type { OwnModels, OwnRoutes } from './own-routes.ts';

const FILES = projectModuleNames('client-app/routes');

export interface OwnRoutesFile {
  /** Relative to the project. */
  file: string;
  routes: OwnRoutes;
}

/**
 * @param directory the project
 * @returns null where the project has no routes of its own
 * @throws UserError when the file cannot be loaded or exports no routes
 */
export async function loadOwnRoutes(directory: string): Promise<OwnRoutesFile | null> {
  const file = FILES.find((candidate) => existsSync(join(directory, candidate)));
  if (file === undefined) return null;
  let exported: unknown;
  try {
    exported = await importProjectModule(join(directory, file));
  } catch (error) {
    throw cannotUse(file, messageOf(error), error);
  }
  if (typeof exported !== 'function') throw cannotUse(file, 'its default export is not a function');
  return { file, routes: exported as OwnRoutes };
}

/**
 * Adds the project's routes below the prefix, in an instance of their own: their hooks and error handlers reach no other route.
 *
 * @throws UserError when adding them throws, e.g. because two have the same path
 */
export async function addOwnRoutes(
  app: FastifyInstance,
  { file, routes }: OwnRoutesFile,
  { prefix, models }: { prefix: string; models: OwnModels },
): Promise<void> {
  try {
    await app.register(async (scope) => routes(scope as unknown as Parameters<OwnRoutes>[0], { models }), {
      prefix,
    });
  } catch (error) {
    throw cannotUse(file, messageOf(error), error);
  }
}

function cannotUse(file: string, why: string, cause?: unknown): UserError {
  return new UserError(`the routes in ${file} cannot be used`, {
    why,
    place: { file },
    next: [
      "export default ((app, { models }) => { app.get('/hello', () => ({ hello: 'world' })); }) satisfies OwnRoutes",
      `or remove ${file}: a project needs no routes of its own`,
    ],
    cause,
  });
}

export function ownModels(slots: ReadonlyMap<string, ModelSlot>): OwnModels {
  return {
    names: [...slots.keys()],
    async use(name, work) {
      const slot = slots.get(name);
      if (slot === undefined) throw new HttpProblem(404, `there is no model ${name}`);
      const held = slot.take();
      try {
        return await work(held.model);
      } finally {
        held.release();
      }
    },
  };
}
