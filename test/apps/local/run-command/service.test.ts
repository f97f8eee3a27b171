import { describe, expect, it } from 'vitest';
import { createCommands } from '../../../../apps/local/run-command/commands.ts';
import { listCommandInvocations, listCommands } from '../../../../apps/local/run-command/listing.ts';
import { createLocalRunCommand, documentName, epoch } from '../../../support/local-run-command.ts';
import { frankfurt, serverId } from '../../../support/samples.ts';

const [one, two, three] = [serverId(1), serverId(2), serverId(3)];

describe('a command', () => {
  it('goes from Pending over In Progress to its end, and tells of every change in an event', async () => {
    const run = createLocalRunCommand({ servers: 1, answer: () => ({ after: 30 }) });
    const id = run.send();
    expect(run.details(id)).toEqual(['Pending']);
    expect(run.events).toEqual([]);
    await run.until(29);
    expect(run.details(id)).toEqual(['In Progress']);
    await run.until(31);
    expect(run.details(id)).toEqual(['Success']);
    expect(run.events.map(({ detail }) => detail.status)).toEqual(['InProgress', 'Success']);
    expect(run.events[1]).toEqual({
      id: expect.any(String),
      source: 'aws.ssm',
      'detail-type': 'EC2 Command Invocation Status-change Notification',
      account: frankfurt.account,
      region: frankfurt.region,
      time: '2026-11-20T00:00:30Z',
      resources: [`arn:aws:ec2:${frankfurt.region}:${frankfurt.account}:instance/${one}`],
      detail: {
        'command-id': id,
        'document-name': documentName,
        'instance-id': one,
        'requested-date-time': '2026-11-20T00:00:00Z',
        status: 'Success',
      },
    });
  });

  it('is answered before anything of it happens', async () => {
    const run = createLocalRunCommand();
    run.send();
    expect(run.agent.taken).toEqual([]);
    await run.until(5);
    expect(run.agent.taken).toHaveLength(2);
  });

  it('hands agents what was sent: document, parameters, and when it is given up', async () => {
    const parameters = { Word: { type: 'String', default: 'hello' } };
    const run = createLocalRunCommand({ servers: 1, parameters });
    const id = run.send({ TimeoutSeconds: 60 });
    await run.until(5);
    expect(run.agent.taken).toMatchObject([
      {
        commandId: id,
        instanceId: one,
        documentName,
        parameters: { Word: 'hello' },
        expiresAt: epoch + 660_000,
      },
    ]);
  });

  it('fails where the server failed, and where the agent itself broke', async () => {
    const run = createLocalRunCommand({
      answer: (task) => {
        if (task.instanceId === two) throw new Error('out of memory');
        return { code: 3 };
      },
    });
    const id = run.send({ MaxErrors: '100%' });
    await run.until(5);
    expect(run.details(id)).toEqual(['Failed', 'Failed']);
    const [first, second] = listCommandInvocations(run.service, {
      CommandId: id,
      Details: true,
    }).CommandInvocations;
    expect(first?.CommandPlugins).toMatchObject([{ Status: 'Failed', ResponseCode: 3 }]);
    expect(second?.TraceOutput).toContain('out of memory');
  });
});

describe('a server that does not answer', () => {
  it('gets its command late, once it is back within the delivery time-out', async () => {
    const run = createLocalRunCommand();
    run.agent.away.add(two);
    const id = run.send({ TimeoutSeconds: 300 });
    await run.until(100);
    expect(run.details(id)).toEqual(['Success', 'Delayed']);
    run.agent.away.delete(two);
    await run.until(110);
    expect(run.details(id)).toEqual(['Success', 'Success']);
    expect(run.agent.taken.map(({ instanceId }) => instanceId)).toEqual([one, two]);
  });

  it('never runs it after the delivery time-out', async () => {
    const run = createLocalRunCommand();
    run.agent.away.add(two);
    const id = run.send({ TimeoutSeconds: 300 });
    await run.until(300);
    run.agent.away.delete(two);
    await run.until(899);
    expect(run.details(id)).toEqual(['Success', 'Delayed']);
    await run.until(901);
    expect(run.details(id)).toEqual(['Success', 'Delivery Timed Out']);
    expect(run.agent.taken).toHaveLength(1);
    expect(run.events.at(-1)?.detail).toMatchObject({ 'instance-id': two, status: 'TimedOut' });
  });

  it('ends as Delivery Timed Out also where it took the command and died, and is not heard any more', async () => {
    const run = createLocalRunCommand({ servers: 1, answer: () => ({ after: 2000 }) });
    const id = run.send({ TimeoutSeconds: 300 });
    await run.until(899);
    expect(run.details(id)).toEqual(['In Progress']);
    await run.until(901);
    expect(run.details(id)).toEqual(['Delivery Timed Out']);
    await run.until(2100);
    expect(run.details(id)).toEqual(['Delivery Timed Out']);
    const { CommandInvocations } = listCommandInvocations(run.service, { CommandId: id, Details: true });
    expect(CommandInvocations[0]?.CommandPlugins).toEqual([]);
  });

  it('is given up where its agent says that nothing will come', async () => {
    const run = createLocalRunCommand({ servers: 1, answer: () => ({ end: 'silent' }) });
    const id = run.send({ TimeoutSeconds: 30 });
    await run.until(629);
    expect(run.details(id)).toEqual(['In Progress']);
    await run.until(631);
    expect(run.details(id)).toEqual(['Delivery Timed Out']);
  });

  it('cannot be delivered to when it was terminated while the command waited', async () => {
    const run = createLocalRunCommand();
    run.agent.away.add(two);
    const id = run.send({ MaxErrors: '100%' });
    await run.until(5);
    run.service.deregisterInstance(two);
    await run.until(20);
    expect(run.details(id)).toEqual(['Success', 'Undeliverable']);
    expect(run.events.at(-1)?.detail.status).toBe('Failed');
  });

  it('counts against no error limit', async () => {
    const run = createLocalRunCommand();
    run.agent.away.add(two);
    const id = run.send({ MaxErrors: '0', TimeoutSeconds: 30 });
    await run.until(3700);
    expect(listCommands(run.service, { CommandId: id }).Commands[0]).toMatchObject({
      StatusDetails: 'Incomplete',
      ErrorCount: 0,
      DeliveryTimedOutCount: 1,
      CompletedCount: 2,
      TargetCount: 2,
    });
  });
});

describe('a limited command', () => {
  it('runs on as many servers at a time as it may', async () => {
    const run = createLocalRunCommand({ servers: 3, answer: () => ({ after: 10 }) });
    const id = run.send({ MaxConcurrency: '1' });
    await run.until(5);
    expect(run.details(id)).toEqual(['In Progress', 'Pending', 'Pending']);
    await run.until(15);
    expect(run.details(id)).toEqual(['Success', 'In Progress', 'Pending']);
    await run.until(35);
    expect(run.details(id)).toEqual(['Success', 'Success', 'Success']);
  });

  it('ends for the servers that were sent nothing when more failed than may fail', async () => {
    const run = createLocalRunCommand({ servers: 3, answer: () => ({ after: 10, code: 1 }) });
    const id = run.send({ MaxConcurrency: '33%', MaxErrors: '1' });
    await run.until(60);
    expect(run.details(id)).toEqual(['Failed', 'Failed', 'Terminated']);
    expect(run.agent.taken).toHaveLength(2);
    expect(listCommands(run.service, { CommandId: id }).Commands[0]?.StatusDetails).toBe('Failed');
  });

  it('goes on where all of its servers may fail', async () => {
    const run = createLocalRunCommand({ servers: 3, answer: () => ({ after: 10, code: 1 }) });
    const id = run.send({ MaxConcurrency: '1', MaxErrors: '100%' });
    await run.until(60);
    expect(run.details(id)).toEqual(['Failed', 'Failed', 'Failed']);
  });
});

describe('cancelling', () => {
  it('stops what runs, and keeps from starting what waits', async () => {
    const run = createLocalRunCommand({ servers: 3, answer: () => ({ after: 100 }) });
    run.agent.away.add(two);
    const id = run.send();
    await run.until(10);
    run.service.cancelCommand({ CommandId: id });
    expect(run.details(id)).toEqual(['Cancelling', 'Cancelled', 'Cancelling']);
    run.agent.away.delete(two);
    await run.until(11);
    expect(run.details(id)).toEqual(['Cancelled', 'Cancelled', 'Cancelled']);
    await run.until(200);
    expect(run.agent.taken).toHaveLength(2);
    expect(
      run.events.map(({ detail }) => detail.status).filter((status) => status === 'Cancelled'),
    ).toHaveLength(3);
  });

  it('touches only the servers that are named, and none that has ended', async () => {
    const run = createLocalRunCommand({
      servers: 3,
      answer: ({ instanceId }) => ({ after: instanceId === one ? 1 : 100 }),
    });
    const id = run.send();
    await run.until(10);
    run.service.cancelCommand({ CommandId: id, InstanceIds: [one, two] });
    await run.until(20);
    expect(run.details(id)).toEqual(['Success', 'Cancelled', 'In Progress']);
    expect(() => run.service.cancelCommand({ CommandId: id, InstanceIds: [serverId(9)] })).toThrow(
      expect.objectContaining({ name: 'InvalidInstanceId' }),
    );
    expect(run.agent.taken.map(({ instanceId }) => instanceId)).toEqual([one, two, three]);
  });

  it('is refused for a command that does not exist', () => {
    const run = createLocalRunCommand();
    expect(() => run.service.cancelCommand({ CommandId: 'none' })).toThrow(
      expect.objectContaining({ name: 'InvalidCommandId' }),
    );
  });
});

describe('what Run Command remembers', () => {
  it('forgets commands that have ended long ago', async () => {
    const run = createLocalRunCommand({ memory: 3600 });
    const old = run.send();
    await run.until(3601);
    const fresh = run.send();
    expect(listCommands(run.service, {}).Commands.map(({ CommandId }) => CommandId)).toEqual([fresh]);
    expect(() => run.service.find(old)).toThrow(expect.objectContaining({ name: 'InvalidCommandId' }));
    expect(await createCommands(run.service).invocations(frankfurt, old)).toEqual([]);
  });

  it('keeps those that have not ended, however old', async () => {
    const run = createLocalRunCommand({ memory: 60 });
    run.agent.away.add(one);
    const waiting = run.send({ TimeoutSeconds: 86_400 });
    await run.until(3600);
    const later = run.send();
    const listed = listCommands(run.service, {}).Commands.map(({ CommandId }) => CommandId);
    expect(listed).toEqual([later, waiting]);
  });
});
