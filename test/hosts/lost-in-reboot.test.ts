/** A server that goes down for its restart and stays down, in a campaign over booted hosts. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demoPolicy, demoServers } from '../../apps/local/demo-campaign.ts';
import { allIsWell } from '../../apps/local/run-campaign.ts';
import { executionSeconds } from '../../core/document.ts';
import { secondsBetween } from '../../core/instant.ts';
import { unknownFacts } from '../../core/outcome.ts';
import { policySchema } from '../../core/policy.ts';
import { version } from './apt-fleet.ts';
import { type HostCampaigns, startDemoCampaigns } from './host-campaign.ts';
import { shell } from './observe.ts';

const servers = demoServers(4);
const unlucky = 'api-1';
let campaigns: HostCampaigns;

beforeAll(async () => {
  campaigns = await startDemoCampaigns(servers, (host) =>
    host.name === unlucky ? { ...host, reboot: () => host.powerCut() } : host,
  );
});
afterAll(() => campaigns?.close());

describe('a server that does not come back from its restart', () => {
  it('is lost once its time is over, is no success anywhere, and holds the waves after its own', async () => {
    const policy = policySchema.parse({
      ...demoPolicy,
      waves: { canary: 1, percentages: [50, 100], soakSeconds: 60 },
      timeouts: { ...demoPolicy.timeouts, reboot: 60 },
    });
    const { report, jobs } = await campaigns.run({ campaignId: 'lost-in-reboot', policy });
    const host = campaigns.host(unlucky);
    expect(host.online()).toBe(false);

    expect(jobs.map(({ server, wave, state }) => [server.name, wave, state])).toEqual([
      ['web-1', 0, 'succeeded'],
      [unlucky, 1, 'lost'],
      ['db-1', 1, 'succeeded'],
      ['cache-1', 2, 'not-started'],
    ]);
    expect(report).toMatchObject({
      state: 'stopped',
      reason: { code: 'error-budget', detail: expect.stringMatching(/^1 of 3 patched servers/) },
      counts: { succeeded: 2, lost: 1, 'not-started': 1 },
    });
    const [, lost, , waiting] = jobs;
    expect(lost?.facts).toEqual(unknownFacts);
    expect(lost?.reasons).toEqual([
      {
        code: 'delivery-timed-out',
        detail: expect.stringMatching(
          /its agent answered when the patch was sent.*the server may be down/,
        ) as unknown,
      },
    ]);
    expect(waiting).toMatchObject({ reasons: [{ code: 'error-budget' }], dispatched: null });
    expect(allIsWell(jobs)).toBe(false);
    expect(campaigns.notices.at(-1)?.subject).toBe('Patching stopped: 2 of 4 servers succeeded');

    // Until then it had all the time that the policy gives a patch and a restart.
    const at = (state: string) => lost?.history.find((entry) => entry.state === state)?.at ?? '';
    const waited = secondsBetween(at('patching'), at('lost'));
    expect(waited).toBeGreaterThan(executionSeconds({ policy }, 'patch'));
    expect(waited).toBeLessThan(executionSeconds({ policy }, 'patch') + policy.timeouts.delivery + 180);

    // Somebody switches it on: it had been patched, and was waiting for the boot that would have proven it.
    await host.reboot();
    expect(await version(host, 'harbor-httpd')).toBe('2.4.57-2 ii');
    expect((await shell(host, 'cat /var/lib/quarterdeck/lost-in-reboot/state/patch')).stdout).toMatch(
      /^stage=rebooting$/m,
    );
  });
});
