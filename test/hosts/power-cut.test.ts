/** The power goes in the middle of the patch of every server, in a campaign over apt, dnf, zypper and pacman. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demoPolicy, demoServers } from '../../apps/local/demo-campaign.ts';
import { demoFamilies, demoReleases } from '../../apps/local/hosts/families/demo-families.ts';
import { createFamilyFleet } from '../../apps/local/hosts/families/family-fleet.ts';
import type { Host } from '../../apps/local/hosts/host.ts';
import type { Server } from '../../core/server.ts';
import { plain as deb, until, waiting as waitingDeb } from './apt-fleet.ts';
import { plain } from './family-fleet.ts';
import { type HostCampaigns, startHostCampaigns } from './host-campaign.ts';
import { shell } from './observe.ts';
import { waiting } from './pacman-fleet.ts';

const servers = demoServers(4, demoFamilies);
/** Each stops in a script of one of its packages until it is told to go on. */
const updates = {
  debian: [deb('tool', '1.1-1'), waitingDeb('1.1-1', 'postinst')],
  others: [plain('tool', '1.1'), waiting('1.1', 'afterInstall')],
};
const installed = {
  debian: [deb('tool', '1.0-1'), deb('slow-tool', '1.0-1')],
  others: ['ballast', 'tool', 'slow'].map((name) => plain(name, '1.0')),
};
let campaigns: HostCampaigns;

beforeAll(async () => {
  campaigns = await startHostCampaigns(servers, async (endpoints) => {
    const others = ['rocky-9', 'tumbleweed', 'arch'] as const;
    const fleet = await createFamilyFleet({
      servers: servers.map(({ id, name, family }) => ({ id, name, release: demoReleases[family] })),
      how: 'booted',
      installed: Object.fromEntries(others.map((release) => [release, installed.others])),
      debian: { installed: installed.debian, automatic: [] },
      endpoints: (id) => endpoints.listenersFor(servers.find((server) => server.id === id) as Server),
      progress: () => {},
      now: () => new Date(),
    });
    for (const packages of [installed, updates]) {
      await fleet.debianRepository.publish('stable', packages.debian);
      for (const release of others) await fleet.repository(release).publish('main', packages.others);
    }
    return fleet;
  });
});
afterAll(() => campaigns?.close());

const policy = {
  waves: { canary: servers.length, percentages: [100], soakSeconds: 60 },
  errorBudget: { failures: servers.length, share: 1 },
};

async function cutPower(host: Host): Promise<void> {
  await until(host, '/run/reached');
  await host.powerCut();
  await host.reboot();
  await host.writeFile('/run/go', '', 0o644);
}

/** Versions of the two packages in the words of the server's own package manager, sorted. */
async function versions(): Promise<Record<string, string[]>> {
  const told = await Promise.all(
    servers.map(async ({ name, family }) => {
      const query =
        family === 'debian'
          ? `dpkg-query -W -f '\${Package} \${Version} \${db:Status-Abbrev}\\n'`
          : 'pacman -Q';
      const rpm = "rpm -qa --qf '%{NAME} %{VERSION}-%{RELEASE}\\n'";
      const { stdout } = await shell(
        campaigns.host(name),
        family === 'rhel' || family === 'suse' ? rpm : query,
      );
      const lines = stdout.split('\n').filter((line) => /^(tool|slow|slow-tool) /.test(line));
      return [family, lines.map((line) => line.trim()).toSorted()] as const;
    }),
  );
  return Object.fromEntries(told);
}

const all = (version: string): Record<string, string[]> => ({
  debian: [`slow-tool ${version} ii`, `tool ${version} ii`],
  ...Object.fromEntries(
    ['rhel', 'suse', 'arch'].map((family) => [family, [`slow ${version}`, `tool ${version}`]]),
  ),
});
const ends = (jobs: readonly { readonly state: string }[]) => jobs.map(({ state }) => state);

describe('a power cut in mid-transaction', () => {
  it('is no success, holds the next campaign, and is mended by a rollback, after which servers are patched', async () => {
    const cut = await campaigns.run({ campaignId: 'power-cut', policy, whenPatching: cutPower });
    expect(ends(cut.jobs)).toEqual(Array(4).fill('lost'));
    expect(cut.report).toMatchObject({ state: 'stopped', counts: { lost: 4 } });
    const half = await versions();
    for (const family of demoFamilies) {
      expect(half[family]).not.toEqual(all('1.0-1')[family]);
      expect(half[family]).not.toEqual(all('1.1-1')[family]);
    }

    // Nobody builds on what is half done, and people are told what mends it.
    const held = await campaigns.run({
      campaignId: 'after-the-cut',
      policy: { ...policy, timeouts: { ...demoPolicy.timeouts, prepare: 60 } },
    });
    expect(ends(held.jobs)).toEqual(Array(4).fill('failed'));
    for (const { reasons } of held.jobs)
      expect(reasons[0]).toEqual({
        code: expect.stringMatching(/^(packages-broken|lock-held)$/),
        detail: expect.stringMatching(/; cut off here, and mended by a rollback of it: power-cut$/),
      });
    expect(await versions()).toEqual(half);

    const asked = await campaigns.rollBack({ campaignId: 'power-cut', dryRun: true });
    expect(asked.rows.map(({ state, reason }) => [state, reason])).toEqual(
      Array(4).fill(['refused', expect.stringContaining('a rollback mends that first')]),
    );
    expect(await versions()).toEqual(half);

    const back = await campaigns.rollBack({ campaignId: 'power-cut' });
    expect(back.counts).toEqual({ 'rolled-back': 4 });
    expect(await versions()).toEqual(all('1.0-1'));

    const next = await campaigns.run({ campaignId: 'once-more', policy });
    expect(ends(next.jobs)).toEqual(Array(4).fill('succeeded'));
    expect(await versions()).toEqual(all('1.1-1'));
  });
});
