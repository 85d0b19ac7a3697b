/**
 * Snapshots of partitions: hard links to their files, in a folder of this service. A writer that replaces or removes files does not
 * change them. (A writer that writes into a file that is there does: Spark, DuckDB and Hive never do.)
 */
import { link, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type ListedPartition, type TableSpec, encoded, isMissing } from './partitions.ts';

/** A system cannot link here: another file system, or files of another user that may not be linked to. */
const CANNOT_LINK = new Set(['EXDEV', 'EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'ENOSYS']);

export class Snapshots {
  readonly #folder: string;
  #last: number;

  private constructor(folder: string, last: number) {
    this.#folder = folder;
    this.#last = last;
  }

  /** @param used the numbers of those that are needed; all others are removed */
  static async open(folder: string, used: ReadonlySet<number>): Promise<Snapshots> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const there = (await readdir(folder)).map(Number).filter(Number.isSafeInteger);
    const snapshots = new Snapshots(folder, Math.max(0, ...there, ...used));
    for (const number of there) if (!used.has(number)) await snapshots.remove(number);
    return snapshots;
  }

  /**
   * Links the files of a partition.
   *
   * @returns its number; `changed`: a file has vanished; `impossible`: this system cannot link these files
   */
  async take(table: TableSpec, partition: ListedPartition): Promise<number | 'changed' | 'impossible'> {
    this.#last += 1;
    const number = this.#last;
    const to = this.folderOf(number, table, partition.values);
    await mkdir(to, { recursive: true, mode: 0o700 });
    try {
      for (const { name } of partition.files)
        await link(join(table.location, partition.path, name), join(to, name));
      return number;
    } catch (error) {
      await this.remove(number);
      if (isMissing(error)) return 'changed';
      if (CANNOT_LINK.has((error as NodeJS.ErrnoException).code ?? '')) return 'impossible';
      throw error;
    }
  }

  /** The folder with the files of one snapshot; its name has the partition, as DuckDB reads it. */
  folderOf(number: number, { levels }: TableSpec, values: readonly string[]): string {
    const parts = levels.map(({ name }, index) => `${name}=${encoded(values[index] ?? '')}`);
    return join(this.#folder, String(number), ...parts);
  }

  async remove(number: number): Promise<void> {
    await rm(join(this.#folder, String(number)), { recursive: true, force: true });
  }
}
