/** A project's own code, which runs as it is, without a build. */
import { readFile } from 'node:fs/promises';
import * as nodeModule from 'node:module';
import { pathToFileURL } from 'node:url';
import { importModule } from './import-module.ts';

/** The names that a file of a project's code may have: `client-app/client` gives `client-app/client.ts`, …, `.mjs`. */
export function projectModuleNames(name: string): string[] {
  return ['ts', 'mts', 'js', 'mjs'].map((ending) => `${name}.${ending}`);
}

/**
 * The default export of a file of the project.
 *
 * @param path absolute
 * @throws what importing it throws
 */
export async function importProjectModule(path: string): Promise<unknown> {
  const url =
    path.endsWith('ts') && !stripsTypesItself() ? await strippedUrl(path) : pathToFileURL(path).href;
  const module = (await importModule(url)) as { default?: unknown };
  return module.default;
}

/** Node 22.18 and later strip types on import. */
function stripsTypesItself(): boolean {
  return Boolean(process.features.typescript);
}

/** Node 22.13 to 22.17 can strip types on request; such a file can import packages, but no neighbours. */
async function strippedUrl(path: string): Promise<string> {
  const source = nodeModule.stripTypeScriptTypes(await readFile(path, 'utf8'), {
    mode: 'strip',
    sourceUrl: path,
  });
  return `data:text/javascript;base64,${Buffer.from(source).toString('base64')}`;
}
