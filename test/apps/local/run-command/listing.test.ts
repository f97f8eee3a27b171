import { describe, expect, it } from 'vitest';
import {
  describeInstanceInformation,
  listCommandInvocations,
  listCommands,
} from '../../../../apps/local/run-command/listing.ts';
import { createLocalRunCommand, documentName, epoch, shellStep } from '../../../support/local-run-command.ts';
import { serverId } from '../../../support/samples.ts';

const at = (seconds: number) => new Date(epoch + seconds * 1000).toISOString();

describe('listing commands', () => {
  it('gives the newest first, a page at a time', async () => {
    const run = createLocalRunCommand({ servers: 1 });
    const sent: string[] = [];
    for (let count = 0; count < 5; count++) {
      sent.unshift(run.send());
      await run.until(count + 1);
    }
    const pages: string[][] = [];
    let NextToken: string | undefined;
    do {
      const page = listCommands(run.service, { MaxResults: 2, ...(NextToken && { NextToken }) });
      pages.push(page.Commands.map(({ CommandId }) => CommandId));
      NextToken = page.NextToken;
    } while (NextToken);
    expect(pages.map(({ length }) => length)).toEqual([2, 2, 1]);
    expect(pages.flat()).toEqual(sent);
  });

  it('filters by time, document, server and status', async () => {
    const run = createLocalRunCommand({
      answer: ({ instanceId }) => ({ code: instanceId === serverId(1) ? 0 : 1 }),
    });
    const early = run.send({ InstanceIds: [serverId(1)] });
    await run.until(60);
    const late = run.send({ InstanceIds: [serverId(2)] });
    await run.until(120);
    const listed = (key: string, value: string) =>
      listCommands(run.service, { Filters: [{ key, value }] }).Commands.map(({ CommandId }) => CommandId);
    expect(listed('InvokedAfter', at(60))).toEqual([late]);
    expect(listed('InvokedBefore', at(60))).toEqual([early]);
    expect(listed('Status', 'Success')).toEqual([early]);
    expect(listed('Status', 'Failed')).toEqual([late]);
    expect(listed('DocumentName', documentName)).toEqual([late, early]);
    expect(listed('DocumentName', 'Quarterdeck-Other')).toEqual([]);
    expect(() => listed('Colour', 'red')).toThrow('cannot filter commands by Colour');
    const ofServer = listCommands(run.service, { InstanceId: serverId(1) }).Commands;
    expect(ofServer.map(({ CommandId }) => CommandId)).toEqual([early]);
  });

  it('says of a whole command what its servers came to', async () => {
    const run = createLocalRunCommand({
      answer: ({ instanceId }) => ({ code: instanceId === serverId(1) ? 0 : 1, after: 10 }),
    });
    const id = run.send({ Comment: 'batch 1', MaxErrors: '100%', TimeoutSeconds: 60 });
    const shown = () => listCommands(run.service, { CommandId: id }).Commands[0];
    expect(shown()).toMatchObject({ StatusDetails: 'Pending', CompletedCount: 0, TargetCount: 2 });
    await run.until(5);
    expect(shown()?.StatusDetails).toBe('In Progress');
    await run.until(20);
    expect(shown()).toMatchObject({
      Status: 'Failed',
      StatusDetails: 'Incomplete',
      Comment: 'batch 1',
      CompletedCount: 2,
      ErrorCount: 1,
      TimeoutSeconds: 60,
      ExpiresAfter: epoch / 1000 + 660,
    });
  });

  it.each([
    [{ NextToken: 'next' }, 'InvalidNextToken'],
    [{ MaxResults: 0 }, 'ValidationException'],
    [{ MaxResults: 51 }, 'ValidationException'],
  ])('refuses %j', (request, name) => {
    const { service } = createLocalRunCommand();
    expect(() => listCommands(service, request)).toThrow(expect.objectContaining({ name }));
  });
});

describe('listing invocations', () => {
  it('brings the steps only where details are asked for', async () => {
    const run = createLocalRunCommand({
      servers: 1,
      answer: () => ({ stdout: 'fine\n', stderr: 'but\n', code: 1 }),
    });
    const id = run.send();
    await run.until(5);
    const plain = listCommandInvocations(run.service, { CommandId: id }).CommandInvocations[0];
    expect(plain).toMatchObject({ StatusDetails: 'Failed', CommandPlugins: [] });
    const detailed = listCommandInvocations(run.service, { CommandId: id, Details: true })
      .CommandInvocations[0];
    expect(detailed?.CommandPlugins).toEqual([
      {
        Name: 'only',
        Status: 'Failed',
        StatusDetails: 'Failed',
        ResponseCode: 1,
        ResponseStartDateTime: epoch / 1000,
        ResponseFinishDateTime: epoch / 1000 + 1,
        Output: 'fine\n\n----------ERROR-------\nbut\n',
      },
    ]);
  });

  it('filters by server and status over all commands', async () => {
    const run = createLocalRunCommand({
      answer: ({ instanceId }) => ({ code: instanceId === serverId(1) ? 0 : 1 }),
    });
    run.send();
    run.send();
    await run.until(5);
    const all = listCommandInvocations(run.service, {}).CommandInvocations;
    expect(all).toHaveLength(4);
    const failed = listCommandInvocations(run.service, { Filters: [{ key: 'Status', value: 'Failed' }] });
    expect(failed.CommandInvocations.map(({ InstanceId }) => InstanceId)).toEqual([serverId(2), serverId(2)]);
    const first = listCommandInvocations(run.service, { InstanceId: serverId(1) });
    expect(first.CommandInvocations.map(({ Status }) => Status)).toEqual(['Success', 'Success']);
  });
});

describe('the output of one step', () => {
  it('comes with both streams apart', async () => {
    const run = createLocalRunCommand({
      servers: 1,
      answer: () => ({ stdout: 'out', stderr: 'err', after: 60 }),
    });
    const id = run.send();
    const get = () => run.service.getCommandInvocation({ CommandId: id, InstanceId: serverId(1) });
    expect(get()).toMatchObject({ StatusDetails: 'Pending', ResponseCode: -1, ExecutionStartDateTime: '' });
    await run.until(90);
    expect(get()).toMatchObject({
      PluginName: 'only',
      StatusDetails: 'Success',
      ResponseCode: 0,
      StandardOutputContent: 'out',
      StandardErrorContent: 'err',
      ExecutionStartDateTime: at(0),
      ExecutionEndDateTime: at(60),
    });
  });

  it('has to be asked for by the name of the step where there are several', async () => {
    const run = createLocalRunCommand({
      servers: 1,
      steps: [shellStep('work', 'true'), shellStep('summary', 'true')],
    });
    const id = run.send();
    await run.until(5);
    const get = (PluginName?: string) =>
      run.service.getCommandInvocation({
        CommandId: id,
        InstanceId: serverId(1),
        ...(PluginName && { PluginName }),
      });
    expect(get('summary').StandardOutputContent).toBe('done\n');
    for (const name of [undefined, 'other'])
      expect(() => get(name)).toThrow(expect.objectContaining({ name: 'InvalidPluginName' }));
  });

  it('does not exist for a server that the command was not sent to', () => {
    const run = createLocalRunCommand();
    const id = run.send({ InstanceIds: [serverId(1)] });
    for (const request of [
      { CommandId: id, InstanceId: serverId(2) },
      { CommandId: 'none', InstanceId: serverId(1) },
    ])
      expect(() => run.service.getCommandInvocation(request)).toThrow(
        expect.objectContaining({ name: 'InvocationDoesNotExist' }),
      );
  });
});

describe('listing servers', () => {
  it('says whether their agents answer, and of hybrid nodes that they are such', () => {
    const run = createLocalRunCommand();
    run.agent.away.add(serverId(2));
    run.service.registerInstance('mi-0123456789abcdef0', run.agent, 'in the cellar');
    const { InstanceInformationList } = describeInstanceInformation(run.service, {});
    expect(
      InstanceInformationList.map(({ InstanceId, PingStatus, ResourceType }) => [
        InstanceId,
        PingStatus,
        ResourceType,
      ]),
    ).toEqual([
      [serverId(1), 'Online', 'EC2Instance'],
      [serverId(2), 'ConnectionLost', 'EC2Instance'],
      ['mi-0123456789abcdef0', 'Online', 'ManagedInstance'],
    ]);
    const lost = describeInstanceInformation(run.service, {
      Filters: [{ Key: 'PingStatus', Values: ['ConnectionLost'] }],
    });
    expect(lost.InstanceInformationList.map(({ InstanceId }) => InstanceId)).toEqual([serverId(2)]);
    expect(() =>
      describeInstanceInformation(run.service, { Filters: [{ Key: 'Colour', Values: ['red'] }] }),
    ).toThrow(expect.objectContaining({ name: 'InvalidFilterKey' }));
  });

  it('names a hybrid node in events as what it is', async () => {
    const run = createLocalRunCommand();
    run.service.registerInstance('mi-0123456789abcdef0', run.agent, 'in the cellar');
    run.send({ InstanceIds: ['mi-0123456789abcdef0'] });
    await run.until(5);
    expect(run.events[0]?.resources[0]).toMatch(/^arn:aws:ssm:.*:managed-instance\/mi-0123456789abcdef0$/);
  });
});
