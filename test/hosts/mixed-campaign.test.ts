/** The demonstration over several families at once, as `npm start -- --hosts sandbox` runs it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UsageError } from '../../apps/local/arguments.ts';
import { demoServers } from '../../apps/local/demo-campaign.ts';
import { demoFamilies } from '../../apps/local/hosts/families/demo-families.ts';
import { runCampaign } from '../../apps/local/run-campaign.ts';
import { allGood } from '../support/samples.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mixed-campaign-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const demonstrate = (kind: 'sandbox' | 'shim', failCanary: boolean) =>
  runCampaign({
    used: { kind, how: kind === 'shim' ? 'shim' : 'booted', reason: 'asked for' },
    servers: demoServers(4, demoFamilies),
    failCanary,
    folder: join(folder, `${kind}-${failCanary}`),
    watcher: { job() {}, campaign() {}, note() {}, reboot() {} },
    interrupted: new AbortController().signal,
  });

describe('a campaign over apt, dnf, zypper and pacman at once', () => {
  it('patches, restarts and verifies every server by its own documents', async () => {
    const { report, jobs } = await demonstrate('sandbox', false);
    expect(report.state).toBe('completed');
    expect(new Set(jobs.map(({ server }) => server.family))).toEqual(new Set(demoFamilies));
    for (const { server, state, facts, packages, reasons } of jobs) {
      expect({ family: server.family, state, reasons, count: packages.length }).toEqual({
        family: server.family,
        state: 'succeeded',
        reasons: [],
        count: 8,
      });
      expect(facts).toEqual({ ...allGood, rebooted: true });
    }
  });

  it('stops where the canary fails, whatever its family, and leaves the others untouched', async () => {
    const { report, jobs } = await demonstrate('sandbox', true);
    expect(report.state).toBe('stopped');
    const [canary, ...others] = jobs.toSorted((a, b) => (a.wave ?? 0) - (b.wave ?? 0));
    expect(canary).toMatchObject({ state: 'failed', wave: 0 });
    expect(JSON.stringify(canary?.reasons)).toMatch(/package-manager|not-configured/);
    expect(others.map(({ state }) => state)).toEqual(Array(3).fill('not-started'));
  });

  it('is refused on hosts that have but one of them', async () => {
    await expect(demonstrate('shim', false)).rejects.toThrow(UsageError);
  });
});
