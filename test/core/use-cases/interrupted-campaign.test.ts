import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Policy } from '../../../core/policy.ts';
import type { Server } from '../../../core/server.ts';
import { type BareCampaign, createBareCampaign, timeless } from '../../support/bare-campaign.ts';
import { type DriveOptions, driveCampaign } from '../../support/drive-campaign.ts';
import { allGood, campaignId, dublin, policyOf, serverOf } from '../../support/samples.ts';
import type { Host } from '../../support/scripted-run-command.ts';

interface Scenario {
  readonly servers: readonly Server[];
  readonly policy: Policy;
  readonly hosts?: Readonly<Record<string, Host>>;
  /** What the campaign comes to when nothing is interrupted: states of its servers. */
  readonly ends: readonly string[];
}

const waves = { canary: 1, percentages: [100], soakSeconds: 60 };
const failed = { says: { result: 'failed' as const, code: 100 }, status: 'failed' as const };

const sick = { says: { facts: { ...allGood, healthy: false } } };
const torn = { ...failed, says: { ...failed.says, facts: { ...allGood, installed: false } } };

const scenarios: Readonly<Record<string, Scenario>> = {
  'where all goes well, after an approval': {
    servers: [serverOf(1), serverOf(2)],
    policy: policyOf({ waves }),
    ends: ['succeeded', 'succeeded'],
  },
  'of servers that fail, are unknown, have gone, or have nothing to do, in two places': {
    servers: [1, 2, 3, 4, 5, 6].map((n) => serverOf(n, n > 5 ? { place: dublin, family: 'rhel' } : {})),
    policy: policyOf({ waves, approval: { required: false }, errorBudget: { failures: 5, share: 1 } }),
    hosts: {
      'web-2': { isUnknown: true },
      'web-3': { answers: { patch: failed } },
      'web-4': { presence: 'gone' },
      'web-5': { answers: { prepare: { says: { result: 'nothing-to-do', code: 2 } } } },
      'web-6': { answers: { prepare: { object: null } } },
    },
    ends: ['succeeded', 'unreachable', 'failed', 'superseded', 'nothing-to-do', 'failed'],
  },
  'that a failed canary stops': {
    servers: [serverOf(1), serverOf(2)],
    policy: policyOf({ waves, approval: { required: false } }),
    hosts: { 'web-1': { answers: { patch: failed } } },
    ends: ['failed', 'not-started'],
  },
  'of servers that go back, or try to': {
    servers: [serverOf(1), serverOf(2), serverOf(3), serverOf(4)],
    policy: policyOf({ waves, approval: { required: false }, errorBudget: { failures: 5, share: 1 } }),
    hosts: {
      'web-2': { answers: { verify: sick } },
      'web-3': { answers: { patch: torn } },
      'web-4': { answers: { verify: sick, rollback: failed } },
    },
    ends: ['succeeded', 'rolled-back', 'rolled-back', 'rollback-failed'],
  },
};

async function run({ servers, policy, hosts = {} }: Scenario, options: DriveOptions = {}) {
  const world = createBareCampaign(servers);
  for (const server of servers) world.runCommand.hosts.set(server.id, hosts[server.name] ?? {});
  const { calls } = await driveCampaign(world, servers, policy, options);
  return { calls, world, left: await leftBy(world) };
}

/** All that a campaign leaves behind. */
async function leftBy(world: BareCampaign) {
  const outputs = [...world.answers.delivered].map(([token, output]) => [token.replace(/ \d+$/, ''), output]);
  const report = await world.ports.objects.get(`campaigns/${campaignId}/report.json`);
  return {
    stored: await world.stored(),
    reached: Object.fromEntries([...world.runCommand.reached].toSorted()),
    outputs: Object.fromEntries(outputs.toSorted()),
    started: [...new Set(world.started)],
    notices: [...new Set(world.notices.map(({ id }) => id))],
    report: timeless(JSON.parse(Buffer.from(report as Uint8Array).toString())),
  };
}

const isEffect = (call: string) => /\.(create|replace|put|send|succeed|fail|start)$/.test(call);

describe.each(Object.entries(scenarios))('a campaign %s', (_, scenario) => {
  test('ends as its servers did, and reaches each of them once per phase', async () => {
    const { world, left } = await run(scenario);
    expect(await world.states()).toEqual(scenario.ends);
    expect(new Set(Object.values(left.reached))).toEqual(new Set([1]));
    expect(left.report).toMatchObject({ campaign: { serverCount: scenario.servers.length } });
  });

  test('is the same when every step, event and sweep comes twice', async () => {
    const { left } = await run(scenario);
    expect((await run(scenario, { times: 2 })).left).toEqual(left);
  });

  test('is the same wherever the process dies', async () => {
    const { calls, left } = await run(scenario);
    // Between two effects nothing is lost, so a process that dies anywhere dies after one of them.
    const effects = calls.flatMap((call, index) => (isEffect(call) ? [index] : []));
    expect(effects.length).toBeGreaterThan(50);
    for (const call of effects) {
      const died = await run(scenario, { deaths: [call] });
      expect({ after: calls[call], ...died.left }).toEqual({ after: calls[call], ...left });
    }
  });

  test('is the same however often processes die', async () => {
    const { calls, left } = await run(scenario);
    const death = fc.nat({ max: calls.length + 30 });
    const deaths = fc
      .uniqueArray(death, { minLength: 2, maxLength: 5 })
      .map((all) => all.toSorted((a, b) => a - b));
    await fc.assert(
      fc.asyncProperty(deaths, async (at) => {
        expect((await run(scenario, { deaths: at })).left).toEqual(left);
      }),
      { numRuns: 15 },
    );
  });
});
