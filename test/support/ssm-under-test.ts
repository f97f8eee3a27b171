/** Owns the SSM adapters over HTTP on the local Run Command, with servers that do as the contract says. */
import { createClock, type LocalClock } from '../../apps/local/clock.ts';
import { RunCommand } from '../../apps/local/run-command/service.ts';
import { documentContentHash } from '../../core/document.ts';
import { instantOf } from '../../core/instant.ts';
import type { Commands, Fleet } from '../../core/ports.ts';
import type { Ec2Calls } from '../../lambdas/aws/ec2-instances.ts';
import type { ClientLocation } from '../../lambdas/aws/place-clients.ts';
import { createCommandCalls, createSsmCommands } from '../../lambdas/aws/ssm-commands.ts';
import { createDocumentCalls, createSsmDocuments } from '../../lambdas/aws/ssm-documents.ts';
import { createSsmFleet } from '../../lambdas/aws/ssm-fleet.ts';
import { createInvocationCalls, createSsmInvocations } from '../../lambdas/aws/ssm-invocations.ts';
import { createNodeCalls } from '../../lambdas/aws/ssm-nodes.ts';
import type { CommandsUnderTest } from '../contracts/commands.contract.ts';
import { createFunctionAgent } from './function-agent.ts';
import { type RunCommandEndpoint, serveRunCommand } from './run-command-endpoint.ts';
import { frankfurt, serverId } from './samples.ts';

export const documentName = 'Quarterdeck-Contract';
export const optIn = { key: 'quarterdeck', value: 'enrolled' };

/** As the contract asks for them. */
export interface SsmServers {
  readonly good: readonly string[];
  readonly failing: string;
  readonly offline: string;
}

export interface SsmUnderTest {
  readonly clock: LocalClock;
  readonly endpoint: RunCommandEndpoint;
  readonly commands: Commands;
  readonly fleet: Fleet;
  /** What this release takes the documents to say. */
  readonly expected: Map<string, string>;
  /** The newest content, with its keys in another order: services give JSON back in their own words. */
  revise(): string;
  /** What the contract runs on. */
  underTest(): CommandsUnderTest;
}

/** @param ec2 knows the same servers */
export async function startSsm({ good, failing, offline }: SsmServers, ec2: Ec2Calls): Promise<SsmUnderTest> {
  const clock = createClock(Date.UTC(2026, 10, 20), () => 0);
  const service = new RunCommand({ clock, ...frankfurt, emit: () => {} });
  const agent = createFunctionAgent(clock, (task) => ({
    code: task.instanceId === failing ? 1 : 0,
    stdout: `${task.parameters.Word}${task.document.description}\n`,
  }));
  agent.away.add(offline);
  for (const id of [...good, failing, offline]) service.registerInstance(id, agent, id);
  const contents: string[] = [];
  const expected = new Map<string, string>();
  const revise = () => {
    const content = {
      schemaVersion: '2.2',
      description: contents.length === 0 ? '' : ` ${contents.length + 1}`,
      parameters: { Word: { type: 'String', allowedPattern: '^[a-z]+$' } },
      mainSteps: [
        { action: 'aws:runShellScript', name: 'print', inputs: { runCommand: ['echo {{ Word }}'] } },
      ],
    };
    service.registerDocument(documentName, JSON.stringify(content));
    contents.push(JSON.stringify(Object.fromEntries(Object.entries(content).toReversed()), null, 2));
    expected.set(documentName, documentContentHash(content));
    return contents.at(-1) as string;
  };
  revise();
  const endpoint = await serveRunCommand(service, (_, version) => contents[Number(version) - 1] ?? '');
  const location: ClientLocation = {
    region: frankfurt.region,
    endpoint: endpoint.url,
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' },
  };
  const calls = {
    ...createCommandCalls(location, 300),
    ...createInvocationCalls(location),
    ...createDocumentCalls(location),
    ...createNodeCalls(location),
    ...ec2,
  };
  // The clock must not skip ahead while a call is on its way.
  const busy = <Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>) => {
    return (...args: Args) => clock.busy(() => call(...args));
  };
  const { pin } = createSsmDocuments({ callsIn: () => calls, expected: (name) => expected.get(name) });
  const pace = { perSecond: 5, burst: 5, stopwatch: () => 0, wait: async () => {} };
  const { send, find } = createSsmCommands({ callsIn: () => calls, pace });
  const { invocations } = createSsmInvocations(() => calls);
  const { presence } = createSsmFleet({ callsIn: () => calls, optIn });
  const ssm = {
    clock,
    endpoint,
    commands: { pin: busy(pin), send: busy(send), find: busy(find), invocations: busy(invocations) },
    fleet: { presence: busy(presence) },
    expected,
    revise,
  };
  return {
    ...ssm,
    underTest: () => ({
      commands: ssm.commands,
      fleet: ssm.fleet,
      place: frankfurt,
      document: documentName,
      servers: { good, failing, offline, unknown: serverId(9999) },
      now: () => instantOf(clock.now()),
      reviseDocument: async () => void revise(),
      settle: () => new Promise((resolve) => clock.at(clock.now() + 10_000, resolve)),
      close: () => endpoint.close(),
    }),
  };
}
