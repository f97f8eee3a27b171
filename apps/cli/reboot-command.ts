/** Owns `quarterdeck reboot`: asking for a restart of one server, taking that back, and seeing what became of it. */
import type { CallName } from '../../core/calls.ts';
import { isUnwell, type Reboot } from '../../core/reboot.ts';
import type { CommonArguments } from './asked.ts';
import type { OneServer, RebootCancel, RebootRequest } from './asked-jobs.ts';
import { rebootText } from './reboot-text.ts';
import { exitCodes, type World, withBackend } from './world.ts';

export function runRebootRequest(asked: RebootRequest, world: World): Promise<number> {
  const { server, reason, mode, start, minutes, by = world.user } = asked;
  return tell('request-reboot', { server, reason, mode, by, start, minutes }, asked, world);
}

export function runRebootShow(asked: OneServer, world: World): Promise<number> {
  return tell('show-reboot', { serverId: asked.serverId }, asked, world);
}

export function runRebootCancel(asked: RebootCancel, world: World): Promise<number> {
  const { serverId, reason, by = world.user } = asked;
  return tell('cancel-reboot', { serverId, reason, by }, asked, world);
}

async function tell(name: CallName, input: unknown, asked: CommonArguments, world: World): Promise<number> {
  const reboot = (await withBackend(asked, world, (backend) => backend.call(name, input))) as Reboot;
  world.out(asked.json ? `${JSON.stringify(reboot)}\n` : rebootText(reboot, world));
  return isUnwell(reboot) ? exitCodes.unwell : exitCodes.done;
}
