import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  advanceCampaign,
  approvalSeconds,
  campaignIdSchema,
  campaignStateSchema,
  isCampaignEnded,
} from '../../core/campaign.ts';
import { campaignOf, policyOf } from '../support/samples.ts';

const states = campaignStateSchema.options;
const state = fc.constantFrom(...states);

describe('a campaign', () => {
  test('goes on only, and has one end, whatever happens to it', () => {
    fc.assert(
      fc.property(fc.array(state, { maxLength: 20 }), (events) => {
        let campaign = campaignOf();
        const seen = [campaign.state];
        for (const to of events) {
          const next = advanceCampaign(campaign, to);
          if (next) seen.push(next.state);
          campaign = next ?? campaign;
        }
        expect(new Set(seen).size).toBe(seen.length);
        expect(seen.filter(isCampaignEnded).length).toBeLessThanOrEqual(1);
        expect(seen.slice(0, -1).some(isCampaignEnded)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  test('may end from every state that has not ended', () => {
    for (const from of states)
      for (const to of states.filter(isCampaignEnded))
        expect(advanceCampaign(campaignOf({ state: from }), to) !== undefined).toBe(!isCampaignEnded(from));
  });

  test('waits for an approval no longer than the policy says, nor than it is of use', () => {
    const campaign = campaignOf({ policy: policyOf({ approval: { required: true, timeoutSeconds: 3600 } }) });
    expect(approvalSeconds(campaign, 7200)).toBe(3600);
    expect(approvalSeconds(campaign, 1800.7)).toBe(1800);
    // A state machine takes no timeout below a second; the window is looked at again afterwards.
    expect(approvalSeconds(campaign, -5)).toBe(1);
  });

  test.each([
    '',
    'short',
    'Upper-case',
    '-begins-with-a-dash',
    'has spaces',
    'has/slash',
    'has.dot',
    'a'.repeat(61),
    'line\nfeed1',
  ])('has no id %j', (id) => {
    expect(campaignIdSchema.safeParse(id).success).toBe(false);
  });
});
