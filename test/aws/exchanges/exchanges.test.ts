/** Holds that what imitates AWS is held to botocore's models, and that the models are really asked. */
import { describe, expect, test } from 'vitest';
import { pythonTool } from '../python.ts';
import { type Exchange, validateExchanges } from './validate-exchanges.ts';

const send: Exchange = {
  service: 'ssm',
  operation: 'SendCommand',
  request: {
    DocumentName: 'Quarterdeck-DebianPatch',
    DocumentVersion: '3',
    DocumentHash: 'ab'.repeat(32),
    DocumentHashType: 'Sha256',
    InstanceIds: ['i-0a1b2c3d4e5f60718'],
    Parameters: { JobId: ['job-0001'] },
    Comment: 'campaign-0001 p-0001 prepare 1',
    TimeoutSeconds: 600,
    MaxConcurrency: '50',
    MaxErrors: '100%',
  },
  status: 200,
  response: {
    Command: {
      CommandId: '11111111-2222-3333-4444-555555555555',
      Comment: 'campaign-0001 p-0001 prepare 1',
      RequestedDateTime: 1795147200.123,
      InstanceIds: ['i-0a1b2c3d4e5f60718'],
      Status: 'Pending',
      StatusDetails: 'Pending',
    },
  },
};

const put: Exchange = {
  service: 'dynamodb',
  operation: 'PutItem',
  request: { TableName: 'state', Item: { pk: { S: 'a' }, revision: { N: '1' } } },
  status: 400,
  response: {
    __type: 'com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException',
    message: 'The conditional request failed',
  },
};

/** A copy in which one member has another value, or none. */
function wrong(exchange: Exchange, path: string, value: unknown): Exchange {
  const copy = structuredClone(exchange);
  const names = path.split('.');
  const last = names.pop() as string;
  let place = copy as unknown as Record<string, unknown>;
  for (const name of names) place = place[name] as Record<string, unknown>;
  if (value === undefined) delete place[last];
  else place[last] = value;
  return copy;
}

const validate = (...exchanges: Exchange[]) => validateExchanges(pythonTool('python'), exchanges);

describe('an exchange', () => {
  test('as AWS has it passes, and so does one whose answer was lost', async () => {
    const lost = { ...send, status: null, response: null };
    expect(await validate(send, put, lost)).toEqual({ exchanges: 3, problems: [], unchecked: [] });
  });

  const cases: Record<string, [path: string, value: unknown, problem: RegExp, exchange?: Exchange]> = {
    'an unknown member of a request': ['request.Targts', [], /Unknown parameter.*Targts/s],
    'a required member that is not there': [
      'request.TableName',
      undefined,
      /Missing required parameter.*TableName/s,
      { ...put, status: 200, response: {} },
    ],
    'a number where a string belongs': ['request.MaxErrors', 100, /Invalid type.*MaxErrors/s],
    'a value of no enumeration': ['request.DocumentHashType', 'Md5', /DocumentHashType: 'Md5' is none of/],
    'a list that is too long': [
      'request.InstanceIds',
      Array(51).fill('i-0a1b2c3d4e5f60718'),
      /request\.InstanceIds: 51 is more than 50/,
    ],
    'a name that no pattern allows': [
      'request.InstanceIds',
      ['i-short'],
      /request\.InstanceIds\[0\]: 'i-short' does not match/,
    ],
    'a time-out below the least': ['request.TimeoutSeconds', 5, /TimeoutSeconds: 5 is less/],
    'an unknown member of an answer': ['response.Command.Id', 'x', /Command\.Id: is no member of Command/],
    'a time as text': [
      'response.Command.RequestedDateTime',
      '2026-11-20T12:00:00Z',
      /RequestedDateTime: .* is no timestamp/,
    ],
    'a time in milliseconds': [
      'response.Command.RequestedDateTime',
      1_795_147_200_123,
      /RequestedDateTime: 1795147200123 is no time of this century/,
    ],
    'a status that Run Command does not have': [
      'response.Command.Status',
      'Done',
      /Command\.Status: 'Done' is none of/,
    ],
    'no text where one of an enumeration belongs': ['response.Command.Status', '', /Status: '' is none of/],
    'no text in a request': ['request.DocumentName', '', /request\.DocumentName: '' does not match/],
    'null in an answer': ['response.Command.Comment', null, /Comment: null/],
    'an error of another operation': [
      'response.__type',
      'InvalidInstanceId',
      /InvalidInstanceId is no error of PutItem/,
      put,
    ],
    'an error without a name': ['response.__type', undefined, /status 400 without the name of an error/, put],
    'an error with a member that it does not have': [
      'response.Why',
      'because',
      /ConditionalCheckFailedException>\.Why: is no member/,
      put,
    ],
  };

  test.each(Object.entries(cases))(
    'is refused for %s',
    async (_, [path, value, problem, exchange = send]) => {
      const { problems } = await validate(wrong(exchange, path, value));
      expect(problems.join('\n')).toMatch(problem);
    },
  );

  test('is held to patterns with classes of characters, which are not as Python has them', async () => {
    const node = (Value: string): Exchange => ({
      service: 'ssm',
      operation: 'ListTagsForResource',
      request: { ResourceType: 'ManagedInstance', ResourceId: 'mi-0123456789abcdef0' },
      status: 200,
      response: { TagList: [{ Key: 'Straße 7', Value }] },
    });
    expect(await validate(node('Überlandleitung'))).toMatchObject({ problems: [], unchecked: [] });
    expect((await validate(node('a#b'))).problems.join()).toMatch(/'a#b' does not match/);
  });

  test('of an operation that no service has is refused', async () => {
    expect((await validate({ ...send, operation: 'SendComand' })).problems).toEqual([
      '1 SendComand ssm has no operation SendComand',
    ]);
  });
});
