import { createClock } from '../../../../apps/local/clock.ts';
import { createCommands, createFleet } from '../../../../apps/local/run-command/commands.ts';
import { RunCommand } from '../../../../apps/local/run-command/service.ts';
import { instantOf } from '../../../../core/instant.ts';
import { describeCommands } from '../../../contracts/commands.contract.ts';
import { createFunctionAgent } from '../../../support/function-agent.ts';
import { frankfurt, serverId } from '../../../support/samples.ts';

const documentName = 'Quarterdeck-Contract';
const failing = serverId(1001);
const offline = serverId(1002);

describeCommands('the local service', async () => {
  const clock = createClock(Date.UTC(2026, 10, 20), () => 0);
  const service = new RunCommand({ clock, ...frankfurt, emit: () => {} });
  const agent = createFunctionAgent(clock, (task) => ({
    code: task.instanceId === failing ? 1 : 0,
    stdout: `${task.parameters.Word}${task.document.description}\n`,
  }));
  agent.away.add(offline);
  const good = Array.from({ length: 60 }, (_, index) => serverId(index + 1));
  for (const id of [...good, failing, offline]) service.registerInstance(id, agent, id);
  let version = 0;
  const reviseDocument = async () => {
    service.registerDocument(
      documentName,
      JSON.stringify({
        schemaVersion: '2.2',
        description: version++ === 0 ? '' : ` ${version}`,
        parameters: { Word: { type: 'String', allowedPattern: '^[a-z]+$' } },
        mainSteps: [
          { action: 'aws:runShellScript', name: 'print', inputs: { runCommand: ['echo {{ Word }}'] } },
        ],
      }),
    );
  };
  await reviseDocument();
  return {
    commands: createCommands(service),
    fleet: createFleet(service),
    place: frankfurt,
    document: documentName,
    servers: { good, failing, offline, unknown: serverId(9999) },
    now: () => instantOf(clock.now()),
    reviseDocument,
    settle: () => new Promise((resolve) => clock.at(clock.now() + 10_000, resolve)),
    close: async () => {},
  };
});
