import { describe, expect, it } from 'vitest';
import { parseCommandLine, UsageError } from '../../../apps/cli/arguments.ts';
import { helpText } from '../../../apps/cli/help.ts';
import { callNames } from '../../../core/calls.ts';
import type { RootVolume } from '../../../core/root-volume.ts';
import { decideApprovalInput } from '../../../core/use-cases/decide-approval.ts';
import { decideRootVolumeInput } from '../../../core/use-cases/decide-root-volume.ts';
import { requestRootVolumeInput } from '../../../core/use-cases/request-root-volume.ts';
import { stopCampaignInput } from '../../../core/use-cases/stop-campaign.ts';
import { runAnswered } from '../../support/cli-answers.ts';
import { campaignId, serverOf } from '../../support/samples.ts';

const server = serverOf(1);
const root = 'a'.repeat(64);
const snapshot = 'snap-0123456789abcdef0';
const at = '2027-01-10T01:00:00.000Z';

const volumeOf = (changes: Partial<RootVolume> = {}): RootVolume => ({
  schema: 1,
  campaignId,
  serverId: server.id,
  name: server.name,
  place: server.place,
  snapshotId: snapshot,
  snapshotAt: at,
  volumeId: 'vol-0123456789abcdef0',
  state: 'requested',
  reason: null,
  requested: { by: 'ann', at, reason: 'it does not start' },
  decision: null,
  taskId: null,
  completedAt: null,
  bootId: null,
  proof: null,
  ...changes,
});

async function run(answer: unknown, ...argv: readonly string[]) {
  const { code, out, calls } = await runAnswered(answer, argv);
  expect(calls).toHaveLength(1);
  const [name, input] = calls[0] as [string, unknown];
  expect(callNames).toContain(name);
  return { code, out, name, input };
}

describe('quarterdeck campaign', () => {
  it('stops one, with who and why', async () => {
    const { code, name, input, out } = await run(null, 'campaign', 'stop', campaignId, '--reason', 'fire');
    expect({ code, name }).toEqual({ code: 0, name: 'stop-campaign' });
    expect(stopCampaignInput.parse(input)).toEqual({ campaignId, by: 'ann', reason: 'fire' });
    expect(out).toContain(`No patch of campaign ${campaignId} is sent any more`);
  });

  it('approves and denies the plans that were looked at', async () => {
    const yes = await run(null, ...['campaign', 'approve', campaignId, '--root', root, '--by', 'bob']);
    expect(yes).toMatchObject({ code: 0, name: 'decide-approval', out: expect.stringMatching(/^Approved/) });
    const decided = { campaignId, root, approved: true, by: 'bob', reason: '' };
    expect(decideApprovalInput.parse(yes.input)).toEqual(decided);
    const no = await run(null, ...['campaign', 'deny', campaignId, '--root', root, '--reason', 'fair']);
    expect(no.out).toMatch(/^Denied by ann/);
    expect(no.input).toEqual({ campaignId, root, approved: false, by: 'ann', reason: 'fair' });
    const json = await run(null, 'campaign', 'approve', campaignId, '--root', root, '--by', 'bob', '--json');
    expect(JSON.parse(json.out)).toEqual(decided);
  });
});

describe('quarterdeck root-volume', () => {
  it('asks, and says how another person decides', async () => {
    const { code, name, input, out } = await run(
      volumeOf(),
      ...['root-volume', 'request', server.id, '--campaign', campaignId, '--reason', 'it does not start'],
    );
    expect({ code, name }).toEqual({ code: 0, name: 'request-root-volume' });
    const asked = { campaignId, serverId: server.id, by: 'ann', reason: 'it does not start' };
    expect(requestRootVolumeInput.parse(input)).toEqual(asked);
    expect(out).toContain('requested: nothing is done until another person approves it');
    expect(out).toContain('until 2027-01-11T01:00:00.000Z, by another person:');
    // What is shown to be copied is understood when it is.
    const copied = /^quarterdeck (root-volume decide .*)$/m.exec(out)?.[1] ?? '';
    expect(parseCommandLine([...copied.replace('NAME', 'bob').split(' ')])).toMatchObject({
      arguments: { serverId: server.id, campaignId, snapshotId: snapshot, approved: true, by: 'bob' },
    });
  });

  it.each<[string, Partial<RootVolume>, number, string]>([
    ['--approve', { state: 'replacing', taskId: 'replacevol-1' }, 0, 'replacing: EC2 has begun'],
    ['--approve', { state: 'approved' }, 0, 'nobody knows yet whether EC2 has begun'],
    [
      '--approve',
      { state: 'failed', reason: { code: 'replace-refused', detail: 'no capacity' } },
      4,
      'replace-refused: no capacity',
    ],
    ['--deny', { state: 'denied' }, 0, 'denied: nothing is done'],
  ])('decides %s, and tells %j with exit code %i', async (flag, changes, code, words) => {
    const approved = flag === '--approve';
    const decision = { by: 'bob', at, reason: 'seen', approved };
    const told = await run(
      volumeOf({ decision, ...changes }),
      ...['root-volume', 'decide', server.id, '--campaign', campaignId, '--snapshot', snapshot],
      ...[flag, '--by', 'bob', '--reason', 'seen'],
    );
    expect(told).toMatchObject({ code, name: 'decide-root-volume', out: expect.stringContaining(words) });
    expect(decideRootVolumeInput.parse(told.input)).toEqual({
      campaignId,
      serverId: server.id,
      snapshotId: snapshot,
      approved,
      by: 'bob',
      reason: 'seen',
    });
    expect(told.out).not.toContain('to decide');
  });
});

const volume = ['root-volume', 'decide', server.id, '--campaign', 'c', '--snapshot', snapshot];

it.each([
  [['campaign', 'stop', 'c'], '--reason is missing'],
  [['campaign', 'stop', '--reason', 'a'], 'needs a word more: the id of the campaign'],
  [['campaign', 'approve', 'c', '--by', 'bob'], '--root is missing'],
  [['campaign', 'approve', 'c', '--by', 'bob', '--root', 'A1'], 'is not a hash of plans'],
  [['campaign', 'approve', 'c', '--root', root], '--by is missing: an approval says who gives it'],
  [['campaign', 'deny', 'c', '--root', root], '--reason is missing'],
  [['root-volume', 'request', server.id, '--reason', 'a'], '--campaign is missing'],
  [['root-volume', 'request', 'web-1', '--reason', 'a'], '"web-1" is not the id of a server'],
  [[...volume, '--by', 'bob'], 'one of --approve, --deny'],
  [[...volume, '--by', 'bob', '--approve', '--deny'], 'one of --approve, --deny'],
  [[...volume, '--approve'], '--by is missing'],
  [[...volume, '--deny'], '--reason is missing'],
  [['root-volume', 'decide', server.id, '--campaign', 'c', '--deny'], '--snapshot is missing'],
])('%j is refused: %s', (argv, message) => {
  const parse = () => parseCommandLine([...argv, '--aws']);
  expect(parse).toThrow(UsageError);
  expect(parse).toThrow(message);
});

it.each(['reboot', 'backups', 'root-volume', 'campaign'])('%s has help that fits a terminal', (command) => {
  const text = helpText(command);
  expect(text).toContain(`Usage: quarterdeck ${command} `);
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
});
