import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createAwsBackend } from '../../../apps/cli/aws-backend.ts';
import { defaultCalendar } from '../../../core/calendar/planning-calendar.ts';
import { answer } from '../../../core/call-message.ts';
import { type Backend, Refused } from '../../../core/calls.ts';
import { campaigns, create } from '../../../core/entities.ts';
import { decideApproval, decideApprovalInput } from '../../../core/use-cases/decide-approval.ts';
import { findBackupsInput } from '../../../core/use-cases/find-backups.ts';
import { importServers, importServersInput } from '../../../core/use-cases/import-servers.ts';
import { showCalendar, showCalendarInput } from '../../../core/use-cases/show-calendar.ts';
import { runAgainst } from '../../support/cli-answers.ts';
import { campaignId, campaignOf } from '../../support/samples.ts';
import { memoryStores } from '../../support/stored-fleet.ts';

const now = '2026-11-21T12:00:00.000Z';
type Function = (event: unknown) => Promise<unknown>;

/** As Lambda's Invoke: the payload in and out, no more than 6 MB of it, and errors in a header. */
async function playLambda(functions: Readonly<Record<string, Function>>) {
  const server = createServer(async (request, response) => {
    const [, name = ''] = /^\/2015-03-31\/functions\/([^/]+)\/invocations/.exec(request.url ?? '') ?? [];
    const run = functions[decodeURIComponent(name)];
    const refuse = (status: number, type: string, headers = {}) => {
      response.writeHead(status, {
        'x-amzn-errortype': type,
        'content-type': 'application/json',
        ...headers,
      });
      response.end(JSON.stringify({ Message: `as the test says of ${name}` }));
    };
    const body = await bodyOf(request);
    if (!request.headers.authorization?.includes('/eu-central-1/lambda/'))
      return refuse(403, 'AccessDeniedException');
    if (run === undefined) return refuse(404, 'ResourceNotFoundException');
    if (body.length > 6 * 1024 * 1024) return refuse(413, 'RequestTooLargeException');
    try {
      const text = JSON.stringify(await run(JSON.parse(body)));
      if (text.length > 6 * 1024 * 1024) throw new Error('the answer is too large');
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(text);
    } catch (error) {
      response.writeHead(200, { 'x-amz-function-error': 'Unhandled', 'content-type': 'application/json' });
      response.end(
        JSON.stringify({ errorType: (error as Error).name, errorMessage: (error as Error).message }),
      );
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

describe('a stack on AWS', () => {
  let lambda: { server: Server; endpoint: string };
  let backend: Backend;
  const open = async (functions: Readonly<Record<string, Function>>) => {
    lambda = await playLambda(functions);
    backend = createAwsBackend({ stack: 'Patching', region: 'eu-central-1', endpoint: lambda.endpoint });
  };
  beforeEach(() => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'example');
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await backend.close();
    lambda.server.closeAllConnections();
    lambda.server.close();
  });

  it('takes a list that is too long for one call, and shows it again', async () => {
    const ports = memoryStores();
    await open({
      'Patching-import-servers': (event) =>
        answer(ports.objects, event, (input) =>
          importServers(ports, defaultCalendar, importServersInput.parse(input), now),
        ),
      'Patching-show-calendar': (event) =>
        answer(ports.objects, event, (input) =>
          showCalendar(ports, defaultCalendar, showCalendarInput.parse(input), now),
        ),
    });
    // Notes that gzip can do little about.
    const note = () => randomBytes(180).toString('base64url');
    const rows = Array.from(
      { length: 5000 },
      (_, index) => `s-${index},production,Europe/Berlin,${note()},${note()},${note()},${note()}`,
    );
    const csv = ['Server Name,Environment,Server Timezone,A,B,C,D', ...rows].join('\n');
    expect(await backend.call('import-servers', { csv, by: 'ann' })).toMatchObject({
      saved: true,
      servers: 5000,
    });
    const shown = (await backend.call('show-calendar', { view: 'csv' })) as string;
    expect(shown.length).toBeGreaterThan(4_500_000);
    expect(shown).toContain(`s-4999,`);
  });

  it('answers commands through the function of their name', async () => {
    const { objects } = memoryStores();
    const asked: unknown[] = [];
    await open({
      'Patching-show-backups': (event) =>
        answer(objects, event, async (input) => {
          asked.push(findBackupsInput.parse(input));
          return { backups: [], without: ['i-00000000000000001'] };
        }),
    });
    const { code, out } = await runAgainst(backend.call, ['backups', 'list', '--campaign', '2027-q1-first']);
    expect(code).toBe(0);
    expect(asked).toEqual([{ campaignId: '2027-q1-first' }]);
    expect(out).toContain('without     i-00000000000000001');
  });

  it('refuses as the function does', async () => {
    const { objects } = memoryStores();
    await open({
      'Patching-set-schedule': (event) =>
        answer(objects, event, () => Promise.reject(new Refused('second-schedule', 'web-1 has one'))),
    });
    const refused = backend.call('set-schedule', {});
    await expect(refused).rejects.toMatchObject({
      name: 'Refused',
      code: 'second-schedule',
      message: 'web-1 has one',
    });
  });

  it('refuses as functions do that throw their refusals', async () => {
    const { records } = memoryStores();
    const callbacks = { succeed: async () => 'delivered' as const, fail: async () => 'delivered' as const };
    await create(records, campaigns, campaignOf({ state: 'sealed' }));
    await open({
      'Patching-decide-approval': (event) =>
        decideApproval({ records, callbacks }, decideApprovalInput.parse(event), now),
    });
    const decide = (id: string) =>
      backend.call('decide-approval', { campaignId: id, root: 'a'.repeat(64), approved: true, by: 'bob' });
    await expect(decide(campaignId)).rejects.toMatchObject({
      name: 'Refused',
      code: 'decision-refused',
      message: `campaign ${campaignId} has not asked for an approval`,
    });
    await expect(decide('2027-q1-other')).rejects.toMatchObject({
      name: 'Refused',
      code: 'not-stored',
      message: expect.stringContaining('campaign#2027-q1-other'),
    });
  });

  it('says which function failed, and with what', async () => {
    await open({ 'Patching-sync-servers': () => Promise.reject(new Error('no place could be read')) });
    await expect(backend.call('sync-servers', {})).rejects.toThrow(
      'sync-servers failed on AWS: no place could be read',
    );
  });

  it('says what is missing when there is no such stack', async () => {
    await open({});
    await expect(backend.call('show-calendar', {})).rejects.toMatchObject({
      code: 'no-stack',
      message: expect.stringContaining('there is no function Patching-show-calendar'),
    });
  });

  it('says who may not', async () => {
    await open({});
    vi.stubEnv('AWS_ACCESS_KEY_ID', '');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', '');
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nonexistent');
    vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent');
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    await expect(backend.call('show-calendar', {})).rejects.toMatchObject({ code: 'no-access' });
  });
});
