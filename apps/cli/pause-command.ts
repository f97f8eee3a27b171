/** Owns `quarterdeck pause` and `quarterdeck resume`: the switch that keeps everything from being started or sent. */
import { visibleText } from '../local/report/visible-text.ts';
import type { PauseArguments } from './asked.ts';
import { planAgain } from './servers-command.ts';
import { exitCodes, type World, withBackend } from './world.ts';

export async function runPause(asked: PauseArguments, world: World): Promise<number> {
  const { reason, by = world.user } = asked;
  await withBackend(asked, world, (backend) => backend.call('pause-all', { by, reason }));
  const text =
    'Everything is paused: nothing is started or sent. What was patched is verified, or taken back\n' +
    `where it is not well; what runs on servers ends by itself. Paused by ${visibleText(by)}.\n`;
  world.out(asked.json ? `${JSON.stringify({ paused: true, by, reason })}\n` : text);
  return exitCodes.done;
}

export async function runResume(asked: PauseArguments, world: World): Promise<number> {
  const { reason, by = world.user } = asked;
  await withBackend(asked, world, async (backend) => {
    await backend.call('resume-all', { by, reason });
    // What was due meanwhile is started, while its window is ahead.
    await planAgain(backend, world);
  });
  const text =
    'Nothing is paused any more. Campaigns that were due meanwhile have been started, if there was time.\n';
  world.out(asked.json ? `${JSON.stringify({ paused: false, by, reason })}\n` : text);
  return exitCodes.done;
}
