import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { isLooking } from '../../src/core/looks.ts';
import { FolderScanner, parseLevels } from '../../src/sources/index.ts';

/** Mounts a file system whose server never answers; all calls to it hang until it is unmounted. */
const SILENT_MOUNT = `
import ctypes, os, sys
folder = sys.argv[1].encode()
device = os.open('/dev/fuse', os.O_RDWR)
libc = ctypes.CDLL(None, use_errno=True)
options = f'fd={device},rootmode=40000,user_id=0,group_id=0'.encode()
if libc.mount(b'silent', folder, b'fuse', 0, options) != 0:
    sys.exit(os.strerror(ctypes.get_errno()))
print('mounted', flush=True)
sys.stdin.read()
libc.umount2(folder, 2)
`;

const canMount = process.getuid?.() === 0 && existsSync('/dev/fuse');

async function mountSilent(folder: string): Promise<ChildProcess> {
  const mount = spawn('python3', ['-c', SILENT_MOUNT, folder], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(mount.stdout, 'data');
  return mount;
}

async function unmount(mount: ChildProcess): Promise<void> {
  if (mount.exitCode !== null) return;
  const ended = once(mount, 'exit');
  mount.stdin?.end();
  await ended;
}

it.runIf(canMount)(
  'a mount that does not answer is away, holds one thread, and can be read when it is back',
  async () => {
    const root = await mkdtemp(join(tmpdir(), 'hippo-hung-'));
    const folder = join(root, 'landing');
    await mkdir(join(folder, 'dt=1'), { recursive: true });
    await writeFile(join(folder, 'dt=1', '_SUCCESS'), '');
    const mount = await mountSilent(folder);
    onTestFinished(async () => {
      await unmount(mount);
      await rm(root, { recursive: true });
    });
    const levels = parseLevels('dt=*');
    if (!levels.ok) throw new Error(levels.message);
    const scanner = new FolderScanner({
      ...{ folder, levels: levels.levels, marker: '_SUCCESS', isMount: false },
      patience: 200,
    });
    const scan = async (): Promise<number> => {
      let found = 0;
      for await (const landings of scanner.scan(new AbortController().signal, () => undefined))
        found += landings.length;
      return found;
    };
    const away = { message: `the folder ${folder} is away`, why: 'it has not answered for 200 ms' };
    await expect(scan()).rejects.toMatchObject(away);
    expect(isLooking()).toBe(true);
    // Another look would hold another thread: the second scan makes none, and the pool has some left.
    await expect(scan()).rejects.toMatchObject(away);
    await unmount(mount);
    await expect.poll(() => isLooking()).toBe(false);
    expect(await scan()).toBe(1);
  },
);
