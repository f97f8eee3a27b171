import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { createMemoryObjects } from '../../../apps/local/memory-objects.ts';
import { createS3Calls, createS3Objects } from '../../../lambdas/aws/s3-objects.ts';
import { describeObjects } from '../../contracts/objects.contract.ts';

const owner = '123456789012';

/** As much of S3 as gets and puts of one bucket need. */
async function startS3() {
  const stored = createMemoryObjects('campaigns', 'eu-central-1');
  const headers: IncomingMessage['headers'][] = [];
  const server = createServer(async (request, response) => {
    headers.push(request.headers);
    const path = (request.url ?? '').split('?')[0] ?? '';
    const key = decodeURIComponent(path.slice('/campaigns/'.length));
    if (request.method === 'PUT') {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      await stored.put(key, Buffer.concat(chunks));
      response.end();
      return;
    }
    const content = await stored.get(key);
    if (content) response.end(content);
    else refuse(response, 404, 'NoSuchKey');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const calls = createS3Calls({
    region: 'eu-central-1',
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' },
    forcePathStyle: true,
  });
  return {
    calls,
    headers,
    async close() {
      calls.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' });
  response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>as the test says</Message></Error>`);
}

describeObjects('S3, over the wire', async () => {
  const { calls, close } = await startS3();
  return {
    objects: createS3Objects({ bucket: 'campaigns', region: 'eu-central-1', owner, calls }),
    close,
  };
});

describe('the S3 adapter', () => {
  test('says with each call whose bucket it must be', async () => {
    const { calls, headers, close } = await startS3();
    const objects = createS3Objects({ bucket: 'campaigns', region: 'eu-central-1', owner, calls });
    await objects.put('key', 'content');
    await objects.get('key');
    await close();
    expect(headers.map((each) => each['x-amz-expected-bucket-owner'])).toEqual([owner, owner]);
  });

  test('an object that may not be read is not one that is missing', async () => {
    const denied = Object.assign(new Error('Access Denied'), { name: 'AccessDenied' });
    const calls = { putObject: async () => ({}), getObject: () => Promise.reject(denied) };
    const objects = createS3Objects({ bucket: 'campaigns', region: 'eu-central-1', calls });
    await expect(objects.get('key')).rejects.toBe(denied);
  });
});
