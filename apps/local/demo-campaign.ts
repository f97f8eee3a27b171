/** Owns the campaign that `npm start` runs: its servers, its policy, its window, and who approves it. */
import { campaignKey, campaigns, load } from '../../core/entities.ts';
import { type Instant, instantOf, plusSeconds } from '../../core/instant.ts';
import { type Policy, policySchema } from '../../core/policy.ts';
import type { Ports } from '../../core/ports.ts';
import { quarterOf } from '../../core/quarter.ts';
import type { Family, Server } from '../../core/server.ts';
import type { CreateCampaignInput } from '../../core/use-cases/create-campaign.ts';
import { decideApproval } from '../../core/use-cases/decide-approval.ts';
import type { LocalClock } from './clock.ts';

/** The embedded host plays both parts; the report must not look as if people had looked at the plans. */
const requester = 'the demonstration';
const approver = 'the demonstration, as a second person';

/** How long before the window the execution starts, and how long the window is. */
const leadSeconds = 2 * 3600;
const windowSeconds = 6 * 3600;

const names = ['web', 'api', 'db', 'cache', 'queue', 'mail', 'build', 'proxy'];
const zones = ['Europe/Berlin', 'America/New_York', 'Asia/Tokyo', 'Europe/London'];

/**
 * Names and ids are the same in every run, the canary is the first.
 *
 * @param families of the servers, in turn
 */
export function demoServers(count: number, families: readonly Family[] = ['debian']): Server[] {
  return Array.from({ length: count }, (_, index) => ({
    schema: 1 as const,
    id: `i-0${(index + 1).toString(16).padStart(16, '0')}`,
    name: `${names[index % names.length]}-${Math.floor(index / names.length) + 1}`,
    place: { account: '111122223333', region: 'eu-central-1' },
    family: families[index % families.length] as Family,
    environment: 'production',
    owner: 'operations@example.com',
    zone: zones[index % zones.length] as string,
    tags: {},
  }));
}

export const demoPolicy: Policy = policySchema.parse({
  schema: 1,
  name: 'production',
  approval: { required: true, timeoutSeconds: 3600 },
  // One canary, then everybody else.
  waves: { canary: 1, percentages: [100], soakSeconds: 900 },
  errorBudget: { failures: 1, share: 0.25 },
  timeouts: { delivery: 300, prepare: 900, patch: 1800, reboot: 300, verify: 300 },
});

/**
 * @param hasSystemd without it no unit can fail, and health is unknown: the policy then does not ask for it
 * @param services units that every server must have running after its patch
 */
export function demoCampaign(
  servers: readonly Server[],
  hasSystemd: boolean,
  services: readonly string[],
  now: Instant,
): CreateCampaignInput {
  const start = plusSeconds(now, leadSeconds);
  const zone = servers[0]?.zone ?? 'UTC';
  return {
    // Unique to the second, and speaking: it is the job id on every server.
    campaignId: `demo-${now.slice(0, 19).replaceAll(/[^0-9]/g, '')}`,
    policy: {
      ...demoPolicy,
      requireHealthy: hasSystemd,
      validation: { ...demoPolicy.validation, services: services.map((unit) => ({ unit })) },
    },
    quarter: quarterOf(start, zone),
    window: { start, end: plusSeconds(start, windowSeconds), zone },
    requestedBy: requester,
    servers: [...servers],
  };
}

/** Looks every few minutes whether the campaign waits for its approval, and gives it, as a person would on a page. */
export function approveWhenAsked(
  clock: LocalClock,
  ports: Ports,
  campaignId: string,
  onError: (error: unknown) => void,
): void {
  const look = async () => {
    const campaign = await load(ports.records, campaigns, campaignKey(campaignId));
    if (campaign.endedAt !== null || campaign.approval?.decision) return;
    if (campaign.approval === null) return lookLater();
    const { root } = campaign.approval;
    await decideApproval(
      ports,
      { campaignId, root, approved: true, by: approver, reason: 'nobody was asked' },
      instantOf(clock.now()),
    );
  };
  const lookLater = () => {
    clock.at(clock.now() + 300_000, () => {
      clock.busy(look).catch(onError);
    });
  };
  lookLater();
}
