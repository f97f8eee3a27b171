import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { documentOf } from '../support/document-trials.ts';
import { readSummary, startStep } from '../support/run-document.ts';
import { type AptFleet, createAptFleet, plain } from './apt-fleet.ts';
import { shell } from './observe.ts';

let fleet: AptFleet;

beforeAll(async () => {
  fleet = await createAptFleet({
    names: ['reboot'],
    installed: ['tool', 'bystander', 'kernel-tool'].map((name) => plain(name, '1.0-1')),
  });
});

afterAll(() => fleet?.close());

const rebooting = plain('kernel-tool', '1.1-1', {
  scripts: { postinst: '#!/bin/sh\n: >/run/reboot-required\necho kernel-tool >>/run/reboot-required.pkgs\n' },
});

describe('a reboot', () => {
  const patchKernel = async (campaign: string, parameters: Record<string, string>) => {
    const host = fleet.host('reboot');
    await shell(
      host,
      'dpkg --force-downgrade -i /var/tmp/kernel-tool_1.0-1_all.deb; rm -f /run/reboot-required*',
    );
    return fleet.whilePublished('stable', [rebooting], async () => {
      const { plan } = await fleet.prepare(host, { campaign });
      return fleet.run(host, 'patch', { plan, campaign, parameters });
    });
  };

  beforeAll(async () => {
    await fleet.whilePublished('stable', [plain('kernel-tool', '1.0-1')], async () => {
      await shell(
        fleet.host('reboot'),
        'apt-get -qq update && cd /var/tmp && apt-get -q download kernel-tool',
      );
    });
  });

  it('that is needed stays pending where the policy forbids it', async () => {
    const { summary, workExits } = await patchKernel('2027-q1-never', { Reboot: 'never' });
    expect(workExits).toEqual([0]);
    expect(summary).toMatchObject({
      result: 'patched',
      facts: { rebootPending: true, rebooted: false },
      warnings: [{ code: 'reboot-needed', detail: expect.stringContaining('kernel-tool') }],
    });
  });

  it('does not begin without the time to come back', async () => {
    const { summary, workExits } = await patchKernel('2027-q1-no-time', {
      TimeBudget: '100',
      RebootReserve: '60',
    });
    expect(workExits).toEqual([0]);
    expect(summary).toMatchObject({
      result: 'patched',
      facts: { rebootPending: true, rebooted: false },
      reasons: [{ code: 'no-time-to-reboot' }],
    });
  });

  it('happens once when it is needed, and the facts are those of the new boot', async () => {
    const { summary, workExits } = await patchKernel('2027-q1-needed', {});
    expect(workExits).toEqual([194, 0]);
    expect(summary).toMatchObject({
      result: 'patched',
      reasons: [],
      facts: { installed: true, rebootPending: false, rebooted: true, healthy: true },
    });
    expect(summary.boot?.before).not.toBe(summary.boot?.after);
  });

  it('is asked for twice at most when the server does not restart', async () => {
    const host = fleet.host('reboot');
    const campaign = '2027-q1-stubborn';
    await fleet.whilePublished('stable', [plain('bystander', '1.1-1')], async () => {
      const { plan } = await fleet.prepare(host, { campaign });
      const parameters = await fleet.order(host, 'patch', {
        plan,
        campaign,
        parameters: { Reboot: 'always' },
      });
      const exits: (number | null)[] = [];
      for (let run = 0; run < 4; run++) {
        exits.push((await startStep(host, documentOf('patch'), 'work', parameters).exit).code);
      }
      expect(exits).toEqual([194, 194, 0, 0]);
      const { summary } = await readSummary(host, documentOf('patch'), parameters);
      expect(summary).toMatchObject({
        result: 'patched',
        reasons: [{ code: 'reboot-failed' }],
        facts: { rebooted: false },
      });
    });
  });
});
