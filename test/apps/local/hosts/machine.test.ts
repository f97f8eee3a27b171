import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cached, cacheFolder } from '../../../../apps/local/hosts/base-cache.ts';
import { cgroupRootIn } from '../../../../apps/local/hosts/cgroup.ts';
import { debianArchivesIn } from '../../../../apps/local/hosts/machine-apt.ts';
import { runOnMachine } from '../../../../apps/local/hosts/machine-command.ts';

const uris = (...sources: string[]) =>
  sources.map((source) => `'${source}/InRelease' some_file_name 0 \n`).join('');

describe("Debian's archives among a machine's sources", () => {
  it('are found by the suites that go together', () => {
    const found = debianArchivesIn(
      uris(
        'https://vendor.example/linux/debian/dists/bookworm',
        'http://mirror.example/debian/dists/bookworm',
        'http://mirror.example/debian/dists/bookworm-updates',
        'http://mirror.example/debian-security/dists/bookworm-security',
      ),
    );
    expect(found).toEqual({
      main: 'http://mirror.example/debian/',
      security: 'http://mirror.example/debian-security/',
    });
  });

  it('may lack the security suite, or be missing altogether', () => {
    expect(debianArchivesIn(uris('http://mirror.example/debian/dists/trixie'))).toEqual({
      main: 'http://mirror.example/debian/',
      security: undefined,
    });
    expect(debianArchivesIn('')).toEqual({ main: undefined, security: undefined });
  });
});

describe('the unified control group tree', () => {
  it('is found where it is the only one and where it is beside the old ones', () => {
    expect(cgroupRootIn('cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n')).toBe('/sys/fs/cgroup');
    expect(
      cgroupRootIn(
        'tmpfs /sys/fs/cgroup tmpfs rw 0 0\ncgroup /sys/fs/cgroup/pids cgroup rw,pids 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n',
      ),
    ).toBe('/sys/fs/cgroup/unified');
    expect(cgroupRootIn('cgroup /sys/fs/cgroup/pids cgroup rw,pids 0 0\n')).toBeUndefined();
  });
});

describe('the cache', () => {
  let cache: string;
  beforeEach(async () => {
    cache = await mkdtemp(join(tmpdir(), 'cache-'));
  });
  afterEach(() => rm(cache, { recursive: true }));

  it('is where the user keeps caches', () => {
    expect(cacheFolder({ XDG_CACHE_HOME: '/var/tmp/mine' })).toBe('/var/tmp/mine/quarterdeck');
    expect(cacheFolder({})).toMatch(/\/\.cache\/quarterdeck$/);
  });

  it('builds once for all that ask at the same time, and again for another recipe', async () => {
    let builds = 0;
    const build = async (folder: string) => {
      builds++;
      await new Promise((resolve) => setTimeout(resolve, 50));
      await writeFile(join(folder, 'whole'), 'yes');
    };
    const ask = (recipe: string) => cached('base', { recipe }, build, cache);
    const [first, second] = await Promise.all([ask('one'), ask('one')]);
    expect(second).toBe(first);
    expect(await readFile(join(first, 'whole'), 'utf8')).toBe('yes');
    expect(builds).toBe(1);
    expect(await ask('two')).not.toBe(first);
    expect(builds).toBe(2);
  });

  it('keeps nothing of a build that failed', async () => {
    const failing = cached(
      'base',
      1,
      async (folder) => {
        await writeFile(join(folder, 'half'), '');
        throw new Error('mirror is gone');
      },
      cache,
    );
    await expect(failing).rejects.toThrow('mirror is gone');
    expect(await readdir(cache)).toEqual(['base.lock']);
    const folder = await cached('base', 1, async () => {}, cache);
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('a program of the machine', () => {
  it('hands back what it printed', async () => {
    expect(await runOnMachine(['cat'], { input: 'text' })).toBe('text');
  });

  it('fails with its exit code and what it complained of, or with the reason why it did not start', async () => {
    await expect(runOnMachine(['sh', '-c', 'echo no room >&2; exit 3'])).rejects.toThrow(
      /ended with 3: no room$/,
    );
    await expect(runOnMachine(['/does/not/exist'])).rejects.toThrow('ENOENT');
  });
});
