import { describe, expect, it } from 'vitest';
import type { SendCommandRequest } from '../../../../apps/local/run-command/api.ts';
import { createLocalRunCommand, shellStep } from '../../../support/local-run-command.ts';
import { serverId } from '../../../support/samples.ts';

const parameters = {
  Word: { type: 'String', allowedPattern: '^[a-z]+$', default: 'hello' },
  Names: { type: 'StringList', default: ['a', 'b'] },
};

/** What the agent is given, or the name of the error. */
async function sent(request: Partial<SendCommandRequest>): Promise<unknown> {
  const run = createLocalRunCommand({ servers: 1, parameters });
  try {
    run.send(request);
  } catch (error) {
    expect(run.events).toEqual([]);
    return (error as Error).name;
  }
  await run.until(5);
  return run.agent.taken[0]?.parameters;
}

const defaults = { Word: 'hello', Names: ['a', 'b'] };

describe('a request', () => {
  it.each<[string, Partial<SendCommandRequest>, string]>([
    [
      '51 servers',
      { InstanceIds: Array.from({ length: 51 }, (_, index) => serverId(index)) },
      'ValidationException',
    ],
    ['no server', { InstanceIds: [] }, 'ValidationException'],
    ['a server twice', { InstanceIds: [serverId(1), serverId(1)] }, 'DuplicateInstanceId'],
    ['a server that is unknown', { InstanceIds: [serverId(1), serverId(2)] }, 'InvalidInstanceId'],
    ['a delivery time-out of 29 seconds', { TimeoutSeconds: 29 }, 'ValidationException'],
    ['a delivery time-out of more than 30 days', { TimeoutSeconds: 2_592_001 }, 'ValidationException'],
    ['a comment of 101 characters', { Comment: 'x'.repeat(101) }, 'ValidationException'],
    ['a document that does not exist', { DocumentName: 'Quarterdeck-None' }, 'InvalidDocument'],
    ['a version that does not exist', { DocumentVersion: '2' }, 'InvalidDocumentVersion'],
    ['a version that is no version', { DocumentVersion: 'one' }, 'InvalidDocumentVersion'],
    ['another hash', { DocumentHash: '0'.repeat(64) }, 'InvalidDocument'],
    ['another kind of hash', { DocumentHash: 'x', DocumentHashType: 'Sha1' }, 'ValidationException'],
    ['a parameter outside of its pattern', { Parameters: { Word: ['word\n'] } }, 'InvalidParameters'],
    ['a share that is none', { MaxErrors: 'some' }, 'ValidationException'],
    [
      'parameters beyond the size of a document',
      { Parameters: { Names: ['a'.repeat(65_536)] } },
      'MaxDocumentSizeExceeded',
    ],
  ])('is refused as a whole for %s', async (_, request, name) => {
    expect(await sent(request)).toBe(name);
  });

  it.each<[string, Partial<SendCommandRequest>]>([
    ['the values of its parameters', { Parameters: { Word: ['hello'], Names: ['a', 'b'] } }],
    ['30 seconds to deliver', { TimeoutSeconds: 30 }],
    ['30 days to deliver', { TimeoutSeconds: 2_592_000 }],
    ['a comment of 100 characters', { Comment: 'x'.repeat(100) }],
    ['the default version by name', { DocumentVersion: '$DEFAULT' }],
    ['the latest version by name', { DocumentVersion: '$LATEST' }],
  ])('is taken with %s', async (_, request) => {
    expect(await sent(request)).toEqual(defaults);
  });

  it('runs the first version unless it asks for another, and checks the hash of that one', async () => {
    const run = createLocalRunCommand({ servers: 1 });
    const content = JSON.stringify({ schemaVersion: '2.2', mainSteps: [shellStep('second', 'true')] });
    const second = run.service.registerDocument('Quarterdeck-Test', content);
    expect(second).toMatchObject({ DocumentVersion: '2', LatestVersion: '2', DefaultVersion: '1' });
    run.send();
    run.send({ DocumentVersion: '2', DocumentHash: second.Hash, DocumentHashType: 'Sha256' });
    expect(() => run.send({ DocumentVersion: '1', DocumentHash: second.Hash })).toThrow('another hash');
    await run.until(5);
    expect(run.agent.taken.map(({ document }) => document.mainSteps[0]?.name)).toEqual(['only', 'second']);
  });
});
