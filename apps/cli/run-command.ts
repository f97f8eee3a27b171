/** Owns which command is run by which file. */
import type { CommandLine } from './asked.ts';
import { runBackups, runRestoreTest } from './backups-command.ts';
import { runDecision, runStop } from './campaign-command.ts';
import { runPause, runResume } from './pause-command.ts';
import { runPlan } from './plan-command.ts';
import { runRebootCancel, runRebootRequest, runRebootShow } from './reboot-command.ts';
import { runRollbackRequest, runRollbackShow } from './rollback-command.ts';
import { runRootVolumeDecision, runRootVolumeRequest } from './root-volume-command.ts';
import { runFeed, runScheduleList, runSet, runShow } from './schedule-command.ts';
import { runExport, runImport, runServerList, runSync } from './servers-command.ts';
import type { World } from './world.ts';
import { runZonesAsk, runZonesShow } from './zones-command.ts';

/**
 * @returns the exit code
 * @throws UsageError
 * @throws Refused
 */
export function runCommand(line: Exclude<CommandLine, { kind: 'help' }>, world: World): Promise<number> {
  switch (line.kind) {
    case 'plan':
      return runPlan(line.arguments, world);
    case 'servers import':
      return runImport(line.arguments, world);
    case 'servers export':
      return runExport(line.arguments, world);
    case 'servers list':
      return runServerList(line.arguments, world);
    case 'servers sync':
      return runSync(line.arguments, world);
    case 'schedule set':
    case 'schedule remove':
      return runSet(line.arguments, world);
    case 'schedule show':
      return runShow(line.arguments, world);
    case 'schedule list':
      return runScheduleList(line.arguments, world);
    case 'feed':
      return runFeed(line.arguments, world);
    case 'pause':
      return runPause(line.arguments, world);
    case 'resume':
      return runResume(line.arguments, world);
    case 'reboot request':
      return runRebootRequest(line.arguments, world);
    case 'reboot show':
      return runRebootShow(line.arguments, world);
    case 'reboot cancel':
      return runRebootCancel(line.arguments, world);
    case 'backups list':
      return runBackups('show-backups', line.arguments, world);
    case 'backups verify':
      return runBackups('verify-backups', line.arguments, world);
    case 'backups test':
      return runRestoreTest(line.arguments, world);
    case 'root-volume request':
      return runRootVolumeRequest(line.arguments, world);
    case 'root-volume decide':
      return runRootVolumeDecision(line.arguments, world);
    case 'rollback request':
      return runRollbackRequest(line.arguments, world);
    case 'rollback show':
      return runRollbackShow(line.arguments, world);
    case 'zones ask':
      return runZonesAsk(line.arguments, world);
    case 'zones show':
      return runZonesShow(line.arguments, world);
    case 'campaign stop':
      return runStop(line.arguments, world);
    case 'campaign approve':
    case 'campaign deny':
      return runDecision(line.arguments, world);
  }
}
