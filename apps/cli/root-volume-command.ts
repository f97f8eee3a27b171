/** Owns `quarterdeck root-volume`: one person asks for a disk as it was before a campaign, another decides. */
import { decideUntil, type RootVolume } from '../../core/root-volume.ts';
import { visibleText } from '../local/report/visible-text.ts';
import { painter } from '../local/terminal-text.ts';
import type { RootVolumeDecision, RootVolumeRequest } from './asked-jobs.ts';
import { labelledLines } from './labelled-lines.ts';
import { exitCodes, type World, withBackend } from './world.ts';

export async function runRootVolumeRequest(asked: RootVolumeRequest, world: World): Promise<number> {
  const { campaignId, serverId, reason, by = world.user } = asked;
  const request = (await withBackend(asked, world, (backend) =>
    backend.call('request-root-volume', { campaignId, serverId, by, reason }),
  )) as RootVolume;
  return tell(request, asked.json, world);
}

export async function runRootVolumeDecision(asked: RootVolumeDecision, world: World): Promise<number> {
  const { campaignId, serverId, snapshotId, approved, reason, by = world.user } = asked;
  const decided = (await withBackend(asked, world, (backend) =>
    backend.call('decide-root-volume', { campaignId, serverId, snapshotId, approved, by, reason }),
  )) as RootVolume;
  return tell(decided, asked.json, world);
}

function tell(volume: RootVolume, json: boolean, world: World): number {
  world.out(json ? `${JSON.stringify(volume)}\n` : rootVolumeText(volume, world));
  return volume.state === 'failed' ? exitCodes.unwell : exitCodes.done;
}

/** Proof comes later, by the sweeper, and is told by a notice. */
const words: Readonly<Record<RootVolume['state'], string>> = {
  requested: 'nothing is done until another person approves it',
  denied: 'nothing is done',
  approved: 'nobody knows yet whether EC2 has begun: decide the same again, or wait for the notice',
  replacing: 'EC2 has begun; a notice says what became of it',
  replaced: 'the root volume is the one of before, and the agent was heard of',
  failed: 'it was not replaced, or not proven to be well',
};

function rootVolumeText(volume: RootVolume, { columns, colour }: World): string {
  const { name, serverId, campaignId, state, reason, snapshotId, snapshotAt, requested, decision } = volume;
  const label = (text: string, ...all: string[]) => labelledLines(text, all, columns);
  const told = label('state', `${state}: ${words[state]}`);
  const decide = `quarterdeck root-volume decide ${serverId} --campaign ${campaignId} --snapshot ${snapshotId} --aws --approve --by NAME`;
  const lines = [
    painter(colour)('strong', visibleText(`${name}  ${serverId}, before campaign ${campaignId}`)),
    ...(state === 'failed' ? told.map((line) => painter(colour)('bad', line)) : told),
    ...(reason === null ? [] : label('because', `${reason.code}: ${reason.detail}`)),
    ...label('snapshot', `${snapshotId}, taken at ${snapshotAt}: what was written since then is not in it`),
    ...label('asked for', `by ${requested.by} at ${requested.at}: ${requested.reason}`),
    ...(decision === null
      ? []
      : label(
          'decided',
          `${decision.approved ? 'approved' : 'denied'} by ${decision.by} at ${decision.at}${decision.reason === '' ? '' : `: ${decision.reason}`}`,
        )),
    ...(state === 'requested' ? label('to decide', `until ${decideUntil(volume)}, by another person:`) : []),
    // In one piece, to be copied.
    ...(state === 'requested' ? ['', visibleText(decide)] : []),
  ];
  return `${lines.join('\n')}\n`;
}
