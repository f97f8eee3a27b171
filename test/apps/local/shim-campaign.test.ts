import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demoServers } from '../../../apps/local/demo-campaign.ts';
import type { PackageSpec } from '../../../apps/local/hosts/deb-file.ts';
import { allIsWell, runCampaign } from '../../../apps/local/run-campaign.ts';
import { isFailure } from '../../../core/job.ts';
import { runShimCampaign, type ShimCampaign } from '../../support/shim-campaign.ts';

const before = process.env.TMPDIR;
let folder: string;

// A folder that only these tests use, to see what they leave behind; with a blank, as people have them.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shim campaign-'));
  process.env.TMPDIR = join(folder, 'hosts');
  await mkdir(process.env.TMPDIR);
});

afterAll(async () => {
  if (before === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = before;
  await rm(folder, { recursive: true, force: true });
});

const demonstrate = (servers: number, failCanary: boolean) =>
  runCampaign({
    used: { kind: 'shim', how: 'shim', reason: 'asked for' },
    servers: demoServers(servers),
    failCanary,
    folder: join(folder, `run-${failCanary}`),
    watcher: { job() {}, campaign() {}, note() {}, reboot() {} },
    interrupted: new AbortController().signal,
  });

describe('the demonstration on shim hosts', () => {
  it('patches, restarts and verifies every server by the real documents, the canary first', async () => {
    const { report, jobs, logs } = await demonstrate(2, false);
    expect(report.state).toBe('completed');
    expect(allIsWell(jobs)).toBe(true);
    expect(jobs.map(({ wave }) => wave)).toEqual([0, 1]);
    for (const { facts } of jobs)
      expect(facts).toEqual({
        installed: true,
        rebootPending: false,
        rebooted: true,
        healthy: true,
        compliant: true,
      });
    const changes = jobs[0]?.packages.map(({ name, from, to }) => `${name} ${from ?? 'new'} ${to}`);
    expect(changes).toEqual([
      'libbuoy-data new 0.9.5-1',
      'anchor-tools 1:5.2-2 1:5.2-2+deb13u1',
      'harbor-common 1.8-1 1.9-1',
      'harbor-httpd 2.4.57-1 2.4.57-2',
      'harbor-kernel 6.12.27-1 6.12.30-1',
      'libharbor2 2.4.1-3 2.4.1-3+deb13u1',
      'lighthouse-agent 3.1.0-1 3.2.0-1',
      'tide-tables 2026a-0+deb13u1 2026b-0+deb13u1',
    ]);
    expect(logs.get(jobs[0]?.server.id ?? '')?.map(({ phase }) => phase)).toEqual([
      'prepare',
      'patch',
      'verify',
    ]);
    expect(await readdir(process.env.TMPDIR as string)).toEqual([]);
  });

  // The stand-in for apt-get fetches no earlier versions: what it has changed stays, and is said to.
  it('stops at a canary whose new web server does not take its configuration, and that has no way back', async () => {
    const { report, jobs } = await demonstrate(2, true);
    expect(report).toMatchObject({ state: 'stopped', reason: { code: 'error-budget' } });
    expect(jobs.map(({ state }) => state)).toEqual(['rollback-failed', 'not-started']);
    expect(jobs[0]?.reasons).toContainEqual({
      code: 'not-covered',
      detail: expect.stringContaining('no file of the version before'),
    });
    expect(jobs[0]?.reasons).toContainEqual({
      code: 'not-configured',
      detail: expect.stringContaining('harbor-httpd'),
    });
    expect(jobs[0]?.facts).toMatchObject({ installed: false, rebooted: false });
  });
});

const tool = (version: string, postinst?: string): PackageSpec => ({
  name: 'tool',
  version,
  files: { '/usr/share/tool/version': { content: `${version}\n` } },
  ...(postinst !== undefined && { scripts: { postinst } }),
});

/** Hangs in the middle of its own upgrade on the server that is called so. */
const hanging = tool(
  '2.0-1',
  '#!/bin/sh\ngrep -q hangs "$DPKG_ROOT/etc/hostname" || exit 0\n: >"$DPKG_ROOT/run/hanging"\nsleep 60\n',
);

const cast = (...names: string[]) =>
  demoServers(names.length).map((server, index) => ({ ...server, name: names[index] ?? '' }));

const plainCampaign = (...names: string[]): ShimCampaign => ({
  servers: cast(...names),
  installed: [tool('1.0-1')],
  updates: [tool('2.0-1')],
});

const version = '/usr/share/tool/version';

describe('a campaign on shim hosts', () => {
  it('runs alike on agents that put parameters in as text', async () => {
    await runShimCampaign(
      { ...plainCampaign('old-agent'), interpolation: 'text' },
      async ({ campaign, jobs, read }) => {
        expect(campaign.state).toBe('completed');
        expect(jobs.get('old-agent')?.state).toBe('succeeded');
        expect(await read('old-agent', version)).toBe('2.0-1\n');
      },
    );
  });

  it('leaves a server alone whose packages changed after its plan was sealed', async () => {
    const campaign = plainCampaign('same', 'changed');
    await runShimCampaign(
      {
        ...campaign,
        async whenSealed(host) {
          const hold = host('changed').run({ argv: ['dpkg', '--set-selections'], stdin: 'tool hold\n' });
          expect(await hold.done).toMatchObject({ code: 0 });
        },
      },
      async ({ jobs, read }) => {
        expect(jobs.get('same')?.state).toBe('succeeded');
        expect(jobs.get('changed')).toMatchObject({
          state: 'drifted',
          reasons: [{ code: 'outside-plan', detail: 'apt would not get tool' }],
        });
        expect(await read('changed', version)).toBe('1.0-1\n');
      },
    );
  });

  it('never takes a server for patched that lost power in the middle of its transaction', async () => {
    const campaign = plainCampaign('well', 'hangs-a-while', 'hangs-for-good');
    await runShimCampaign(
      {
        ...campaign,
        updates: [hanging],
        async whenPatching(host) {
          if (host.name === 'well') return;
          while ((await host.readFile('/run/hanging')) === undefined) await sleep(20);
          await host.powerCut();
          if (host.name === 'hangs-a-while') await host.reboot();
        },
      },
      async ({ jobs }) => {
        expect([...jobs.values()].map((job) => job.state)).toEqual(['succeeded', 'lost', 'lost']);
        expect([...jobs.values()].map(isFailure)).toEqual([false, true, true]);
      },
    );
  });
});
