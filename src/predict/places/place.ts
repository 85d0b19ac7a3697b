/** What a loader asks of a place that has the versions of a model. */

/** The files of one version. */
export interface VersionFolder {
  /** For messages: `/data/models/iris/2026…/manifest.json`. */
  pathOf(file: string): string;
  /**
   * @param file its name in the version's folder
   * @returns null: there is no such file
   * @throws ModelAway where it cannot be read
   * @throws TryAgain where another try may help
   */
  open(file: string, signal: AbortSignal): Promise<OpenFile | null>;
  /** Lets connections go. */
  close(): void;
}

export interface OpenFile {
  /** The size, if the place says it. */
  readonly bytes: number | undefined;
  /** The content; throws as {@link VersionFolder.open} does. The end closes the file, and so does leaving it early. A chunk
   * holds until the next one is asked for. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** For a file whose chunks are not read. */
  readonly close: () => void;
}

/** A fault that may be gone at the next try: the connection broke, the server answered 503. */
export class TryAgain extends Error {}

/** How long nothing may come in, milliseconds. */
export const SILENCE = 30_000;
