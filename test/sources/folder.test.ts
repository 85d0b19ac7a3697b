import { mkdtempSync } from 'node:fs';
import { mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import {
  FolderScanner,
  type FoundLanding,
  type Skip,
  SourceAwayError,
  parseLevels,
} from '../../src/sources/index.ts';

interface Scanned {
  landings: FoundLanding[];
  /** `path: reason`, the path relative to the folder; unfinished ones with a `…`. */
  skips: string[];
  error?: unknown;
}

const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

class Landing {
  readonly folder = mkdtempSync(join(tmpdir(), 'hippo-folder-'));
  marker: string | null = '_SUCCESS';
  levels = 'dt=*/region=*';
  isMount = false;

  constructor() {
    folders.push(this.folder);
  }

  async write(path: string, content = ''): Promise<string> {
    const file = join(this.folder, path);
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(file, content);
    return file;
  }

  async scan(): Promise<Scanned> {
    const parsed = parseLevels(this.levels);
    if (!parsed.ok) throw new Error(parsed.message);
    const { folder, marker, isMount } = this;
    const scanner = new FolderScanner({ folder, levels: parsed.levels, marker, isMount });
    const skips: string[] = [];
    const landings: FoundLanding[] = [];
    const onSkip = ({ path, reason, isUnfinished }: Skip): void => {
      skips.push(`${path.slice(folder.length + 1)}: ${reason}${isUnfinished ? ' …' : ''}`);
    };
    try {
      for await (const some of scanner.scan(new AbortController().signal, onSkip)) landings.push(...some);
      return { landings, skips };
    } catch (error) {
      return { landings, skips, error };
    }
  }

  async ids(): Promise<string[]> {
    return (await this.scan()).landings.map(({ id }) => id);
  }
}

describe('a folder', () => {
  it('lists the partitions that have their marker, in order, with its time', async () => {
    const folder = new Landing();
    await folder.write('dt=2017-04-28/region=us/part-0.parquet', 'x');
    const marker = await folder.write('dt=2017-04-28/region=us/_SUCCESS');
    await utimes(marker, new Date('2017-04-29T01:02:03Z'), new Date('2017-04-29T01:02:03Z'));
    const other = await folder.write('dt=2017-04-27/region=eu/_SUCCESS');
    await utimes(other, new Date('2017-04-28T01:02:03Z'), new Date('2017-04-28T01:02:03Z'));
    await folder.write('dt=2017-04-28/region=eu/part-0.parquet', 'half');
    await mkdir(join(folder.folder, 'dt=2017-04-28/region=eu/_SUCCESS'));
    const { landings, skips } = await folder.scan();
    expect(landings.map(({ id }) => id)).toEqual(['dt=2017-04-27/region=eu', 'dt=2017-04-28/region=us']);
    expect(landings[1]).toMatchObject({
      partition: [
        { name: 'dt', value: '2017-04-28' },
        { name: 'region', value: 'us' },
      ],
      landedAt: Date.UTC(2017, 3, 29, 1, 2, 3),
    });
    expect(skips).toEqual(['dt=2017-04-28/region=eu: it has no _SUCCESS …']);
  });

  it('tells a marker that is written again from one that is not', async () => {
    const folder = new Landing();
    folder.levels = 'dt=*';
    await folder.write('dt=1/_SUCCESS');
    const [first] = (await folder.scan()).landings;
    expect((await folder.scan()).landings[0]).toEqual(first);
    await rm(join(folder.folder, 'dt=1/_SUCCESS'));
    expect(await folder.ids()).toEqual([]);
    await folder.write('dt=1/_SUCCESS');
    expect((await folder.scan()).landings[0]?.found).not.toBe(first?.found);
  });

  it('without a marker goes by all files of a partition, and waits for names that writers change', async () => {
    const folder = new Landing();
    folder.marker = null;
    folder.levels = 'dt=*';
    await folder.write('dt=1/a.csv', '1');
    await folder.write('dt=1/deep/b.csv', '1');
    const [first] = (await folder.scan()).landings;
    // At another path it is the same.
    const elsewhere = new Landing();
    await rm(elsewhere.folder, { recursive: true });
    await symlink(folder.folder, elsewhere.folder);
    Object.assign(elsewhere, { marker: null, levels: 'dt=*' });
    expect((await elsewhere.scan()).landings[0]).toEqual(first);
    await folder.write('dt=1/deep/b.csv', '12');
    expect((await folder.scan()).landings[0]?.found).not.toBe(first?.found);
    const temporary = await folder.write('dt=1/c.csv.tmp', '1');
    expect((await folder.scan()).skips).toEqual([`dt=1: ${temporary} is being written …`]);
    await rename(temporary, join(folder.folder, 'dt=1/c.csv'));
    expect(await folder.ids()).toEqual(['dt=1']);
    await folder.write('dt=2/_temporary/0/part-0', '1');
    expect((await folder.scan()).skips).toEqual(['dt=2: it has no files …']);
  });

  it('says of each thing that it passes over why', async () => {
    const folder = new Landing();
    await folder.write('dt=1/region=us/_SUCCESS');
    await folder.write('README', '');
    await folder.write('date=1/region=us/_SUCCESS');
    await folder.write('dt=1/zone=1/_SUCCESS');
    await folder.write('dt=1/region= /_SUCCESS');
    await folder.write('dt=1/region=a\nb/_SUCCESS');
    await folder.write('_temporary/region=us/_SUCCESS');
    await folder.write('.hive-staging/region=us/_SUCCESS');
    await folder.write('dt=1/region=%75s/_SUCCESS');
    const { landings, skips } = await folder.scan();
    expect(landings.map(({ id }) => id)).toEqual(['dt=1/region=us']);
    expect(skips).toEqual([
      'README: it is not a folder',
      'date=1: its name is not dt=*',
      'dt=1/region=%75s: it is the same partition as region=us, which is taken',
      'dt=1/zone=1: its name is not region=*',
      'dt=1/region= : partition[1].value must not be blank',
      'dt=1/region=a\nb: partition[1].value must have no control characters',
    ]);
  });

  it('takes of several names of one partition the one that Hive writes, else the first', async () => {
    const folder = new Landing();
    folder.levels = 'dt=*';
    await folder.write('dt=%41/part-0');
    await folder.write('dt=A/_SUCCESS');
    await folder.write('dt=%42%43/_SUCCESS');
    await folder.write('dt=%42C/_SUCCESS');
    const { landings, skips } = await folder.scan();
    expect(landings.map(({ id }) => id)).toEqual(['dt=BC', 'dt=A']);
    expect(skips).toEqual([
      'dt=%41: it is the same partition as dt=A, which is taken',
      'dt=%42C: it is the same partition as dt=%42%43, which is taken',
    ]);
  });

  it('reads values as Hive escapes them, follows links, and takes fixed levels for no partition', async () => {
    const folder = new Landing();
    folder.levels = 'orders/at=2017*';
    await folder.write('orders/at=2017-04-28 10%3A00/_SUCCESS');
    await folder.write('orders/at=2016-04-28/_SUCCESS');
    await folder.write('elsewhere/_SUCCESS');
    await symlink(join(folder.folder, 'elsewhere'), join(folder.folder, 'orders/at=2017-link'));
    const { landings } = await folder.scan();
    expect(landings.map(({ partition }) => partition)).toEqual([
      [{ name: 'at', value: '2017-04-28 10:00' }],
      [{ name: 'at', value: '2017-link' }],
    ]);
  });

  it('without levels is itself the landing of an unpartitioned table', async () => {
    const folder = new Landing();
    folder.levels = '';
    expect(await folder.ids()).toEqual([]);
    await folder.write('_SUCCESS');
    expect((await folder.scan()).landings).toMatchObject([{ id: '', partition: [] }]);
  });

  it('that is not there is away, which is not the same as empty', async () => {
    const folder = new Landing();
    await folder.write('dt=1/region=us/_SUCCESS');
    await rename(folder.folder, `${folder.folder}-gone`);
    const { error } = await folder.scan();
    await rename(`${folder.folder}-gone`, folder.folder);
    expect(error).toBeInstanceOf(SourceAwayError);
    expect((error as Error).message).toBe(`the folder ${folder.folder} is away`);
  });

  it('that should be a mount point, and is none, is away', async () => {
    const folder = new Landing();
    folder.isMount = true;
    await folder.write('dt=1/region=us/_SUCCESS');
    expect((await folder.scan()).error).toMatchObject({ why: 'nothing is mounted there' });
  });
});

describe('a pattern of levels', () => {
  it.each([
    ['dt=*//region=*', 'has an empty level'],
    ['dt=*/../x=*', 'has an empty level'],
    ['dt=*/*', 'the level "*" has no name'],
    ['=*', 'the level "=*" has no name'],
    ['*=*', 'the level "*=*" has no name'],
    ['dt=*/dt=*', 'the level "dt" occurs twice'],
  ])('%s is refused', (pattern, message) => {
    expect(parseLevels(pattern)).toMatchObject({
      ok: false,
      message: expect.stringContaining(message) as string,
    });
  });
});
