/** The process's own `import()`, where {@link provideImport} has put it. */
const PROVIDED = Symbol.for('hippo.import');

type Import = (url: string) => Promise<unknown>;

/**
 * Imports a module of the user by its URL.
 *
 * The bundle of commands is run by `node:vm`, whose `import()` is experimental: Node would print a warning of it on stderr.
 * So what runs the bundle provides the `import()` of a common module.
 */
export function importModule(url: string): Promise<unknown> {
  const provided = (globalThis as { [PROVIDED]?: Import })[PROVIDED];
  return provided === undefined ? import(url) : provided(url);
}

/** Called by what runs the bundle; must not be in the bundle itself. */
export function provideImport(): void {
  (globalThis as { [PROVIDED]?: Import })[PROVIDED] = (url) => import(url);
}
