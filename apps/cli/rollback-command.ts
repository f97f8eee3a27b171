/** Owns `quarterdeck rollback`: bringing servers of an ended campaign back by hand, and seeing what became of it. */
import type { RollBackOutput } from '../../core/use-cases/roll-back.ts';
import type { ShowRollbackOutput } from '../../core/use-cases/show-rollback.ts';
import { visibleText } from '../local/report/visible-text.ts';
import { painter } from '../local/terminal-text.ts';
import type { OneCampaign, RollbackRequest } from './asked-jobs.ts';
import { tableLines } from './table.ts';
import { exitCodes, type World, withBackend } from './world.ts';

export async function runRollbackRequest(asked: RollbackRequest, world: World): Promise<number> {
  const { campaignId, servers, to, dryRun, reason, by = world.user } = asked;
  const input = { campaignId, servers, to, dryRun, reason, by };
  const done = (await withBackend(asked, world, (backend) =>
    backend.call('roll-back', input),
  )) as RollBackOutput;
  world.out(asked.json ? `${JSON.stringify(done)}\n` : requestedText(done, campaignId));
  return exitCodes.done;
}

function requestedText({ number, servers, left, dryRun }: RollBackOutput, campaignId: string): string {
  const many = dryRun ? `${servers} servers are asked what they would do` : `${servers} servers go back`;
  const one = dryRun ? '1 server is asked what it would do' : '1 server goes back';
  return [
    `rollback ${number} of ${campaignId}: ${servers === 1 ? one : many}`,
    ...left.map(({ server, why }) => visibleText(`left as it is: ${server}, ${why}`)),
    `see it with: quarterdeck rollback show ${campaignId} --aws`,
    '',
  ].join('\n');
}

export async function runRollbackShow(asked: OneCampaign, world: World): Promise<number> {
  const { campaignId } = asked;
  const shown = (await withBackend(asked, world, (backend) =>
    backend.call('show-rollback', { campaignId }),
  )) as ShowRollbackOutput;
  world.out(asked.json ? `${JSON.stringify(shown)}\n` : shownText(shown, world));
  return isUnwell(shown) ? exitCodes.unwell : exitCodes.done;
}

/** One that is under way is not over, and no failure. */
function isUnwell({ complete, dryRun, rows }: ShowRollbackOutput): boolean {
  return complete && rows.some(({ state }) => state !== (dryRun ? 'possible' : 'rolled-back'));
}

function shownText(shown: ShowRollbackOutput, { columns, colour }: World): string {
  const { campaignId, number, dryRun, complete, by, at, reason, to, rows, past } = shown;
  const paint = painter(colour);
  const kind = dryRun ? 'dry run' : 'rollback';
  return [
    paint('strong', `${kind} ${number} of ${campaignId}, up to ${to}: ${complete ? 'over' : 'under way'}`),
    visibleText(`asked for by ${by} at ${at}: ${reason}`),
    ...tableLines(
      ['server', 'id', 'state', 'because'],
      rows.map(({ server, id, state, reason: why }) => [server, id, state ?? 'no answer yet', why ?? '']),
      { columns, paint },
    ),
    ...rows.flatMap(({ server, steps }) =>
      steps.map((step) => visibleText(`${server}: ${step.replaceAll('\t', ' ')}`)),
    ),
    ...past.map((one) =>
      visibleText(
        `before: ${one.dryRun ? 'dry run' : 'rollback'} ${one.number} by ${one.by} at ${one.at}: ${one.reason}`,
      ),
    ),
    '',
  ].join('\n');
}
