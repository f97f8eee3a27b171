import { spawn, spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { createEndpoints } from '../../apps/local/aws/endpoints.ts';
import { createMemoryObjects } from '../../apps/local/memory-objects.ts';
import { sha256Of } from '../../core/plan.ts';
import { backupPrefix, serverPrefix } from '../../core/result-object.ts';
import { signLikeTheSdk } from '../support/sdk-signature.ts';

const folder = mkdtempSync(join(tmpdir(), 'quarterdeck-transport-'));
afterAll(() => rmSync(folder, { recursive: true }));

const place = { account: '111122223333', region: 'eu-central-1' };
const bucket = 'quarterdeck-campaigns';
const backupBucket = 'quarterdeck-backups';
const server = { id: 'i-0123456789abcdef0', place };

const libraries = ['log', 'json', 'transport']
  .map((name) => `source ssm-documents/lib/${name}.sh`)
  .join('\n');
const prologue = `set -u\n${libraries}\nBucket=${bucket} BucketRegion=${place.region} HybridPrefix=hybrid WORK=${folder}\n`;

const field = (lists: readonly string[]) => `${lists.join('\t')}\n`;

describe('requests of servers', () => {
  it('are signed as the SDK signs them', async () => {
    const printable = fc.string({
      unit: fc.constantFrom(...'abcXYZ019/+=:-_.~'),
      minLength: 1,
      maxLength: 60,
    });
    const secret = fc.string({ unit: fc.constantFrom(...'abcXYZ019/+='), minLength: 1, maxLength: 60 });
    const cases = fc.sample(
      fc.record({
        method: fc.constantFrom('GET', 'PUT'),
        host: fc.constantFrom('bucket.s3.eu-central-1.amazonaws.com', '169.254.169.254:4566'),
        key: printable.map((key) => `servers/arn:aws:ec2:${key}`),
        body: fc.string({ maxLength: 30 }),
        at: fc.integer({ min: 1_600_000_000, max: 2_000_000_000 }),
        region: fc.constantFrom('eu-central-1', 'us-gov-west-1'),
        access: fc.constant('ASIAEXAMPLE'),
        secret,
        token: fc.option(printable, { nil: '' }),
        checksum: fc.option(printable, { nil: '' }),
      }),
      { numRuns: 40, seed: 7 },
    );
    const stampOf = (at: number) => new Date(at * 1000).toISOString().replaceAll(/[-:]|\.\d+/g, '');
    const input = cases
      .map((one) =>
        field([
          one.method,
          one.host,
          one.key,
          sha256Of(one.body),
          stampOf(one.at),
          one.region,
          one.access,
          one.secret,
          one.token || '-',
          one.checksum || '-',
        ]),
      )
      .join('');
    const script = `${prologue}
      while IFS=$'\\t' read -r method host key payload stamp region ACCESS_KEY SECRET_KEY token checksum; do
        SESSION_TOKEN=''; [[ $token == - ]] || SESSION_TOKEN=$token
        [[ $checksum != - ]] || checksum=''
        uri_path "/$key"
        sign "$method" "$host" "$REPLY" "$payload" "$stamp" "$region" "$checksum"
        printf '%s\\n' "$AUTHORIZATION"
      done`;
    const signed = spawnSync('bash', ['-c', script], { input, encoding: 'utf8' });
    expect(signed.stderr).toBe('');
    const expected = await Promise.all(
      cases.map(async (one) => {
        const { method, host, key, body, at, region, access, secret: secretAccessKey, token, checksum } = one;
        const path = `/${key.split('/').map(encodeURIComponent).join('/')}`;
        const headers = await signLikeTheSdk(
          {
            method,
            host,
            path,
            body,
            headers: {
              'x-amz-content-sha256': sha256Of(body),
              ...(checksum !== '' && { 'x-amz-checksum-sha256': checksum }),
            },
          },
          {
            credentials: {
              accessKeyId: access,
              secretAccessKey,
              ...(token !== '' && { sessionToken: token }),
            },
            region,
            at: at * 1000,
          },
        );
        return headers.authorization;
      }),
    );
    expect(signed.stdout.trimEnd().split('\n')).toEqual(expected);
  });

  it('use HMAC as OpenSSL does, for every length of key that occurs', () => {
    const keys = [1, 32, 44, 63, 64].map((length) => 'k'.repeat(length));
    const script = `${prologue}while read -r key; do hex_of "$key"; hmac "$REPLY" 'a message'; echo "$REPLY"; done`;
    const { stdout } = spawnSync('bash', ['-c', script], { input: `${keys.join('\n')}\n`, encoding: 'utf8' });
    expect(stdout.trim().split('\n')).toEqual(
      keys.map((key) => createHmac('sha256', key).update('a message').digest('hex')),
    );
  });
});

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a script against a metadata service and an S3 of its own. */
async function withEndpoints(
  script: string,
  options: {
    readonly skewSeconds?: number;
    readonly before?: (endpoints: ReturnType<typeof createEndpoints>) => void;
    readonly wrap?: (s3: RequestListener) => RequestListener;
    readonly metadataDate?: boolean;
  } = {},
) {
  const objects = createMemoryObjects(bucket, place.region);
  await objects.put(`orders/${'ab'.repeat(32)}.txt`, 'an order\n');
  const skew = (options.skewSeconds ?? 0) * 1000;
  const backups = createMemoryObjects(backupBucket, place.region);
  const endpoints = createEndpoints({ objects, backups, clock: { now: () => Date.now() + skew } });
  options.before?.(endpoints);
  const { metadata, s3 } = endpoints.listenersFor(server);
  const dateless: RequestListener = (request, response) => {
    const { writeHead } = response;
    response.sendDate = false;
    response.writeHead = ((status: number, headers: Record<string, string>) => {
      const { Date: _, ...rest } = headers;
      return writeHead.call(response, status, rest);
    }) as typeof response.writeHead;
    metadata(request, response);
  };
  const servers = [
    options.metadataDate === false ? dateless : metadata,
    (options.wrap ?? ((x) => x))(s3),
  ].map((listener) => createServer(listener));
  for (const one of servers) await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
  const [metadataUrl, s3Url] = servers.map(
    (one) => `http://127.0.0.1:${(one.address() as AddressInfo).port}`,
  );
  try {
    const child = spawn('bash', ['--norc', '-c', `${prologue}${script}`], {
      env: {
        PATH: process.env.PATH,
        AWS_SSM_INSTANCE_ID: server.id,
        AWS_EC2_METADATA_SERVICE_ENDPOINT: metadataUrl,
        AWS_ENDPOINT_URL_S3: s3Url,
      },
    });
    const [stdout, stderr, code] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise<number | null>((resolve) => child.on('close', resolve)),
    ]);
    return { run: { code, stdout, stderr } satisfies Run, objects, backups };
  } finally {
    for (const one of servers) {
      one.closeAllConnections();
      one.close();
    }
  }
}

const get = `get_object orders/${'ab'.repeat(32)}.txt ${folder}/got && cat ${folder}/got`;
const explain = `|| echo "$TRANSPORT_ERROR"`;

describe('the transport', () => {
  it('reads an order and writes a result under its own prefix, colons and all', async () => {
    writeFileSync(join(folder, 'result'), 'a result');
    const { run, objects } = await withEndpoints(
      `identify && ${get} && put_object "$SERVER_PREFIX/2027-q1/prepare.gz" ${folder}/result ${sha256Of('a result')} && echo "$SERVER_PREFIX"`,
    );
    expect(run).toEqual({ code: 0, stderr: '', stdout: `an order\n${serverPrefix(server)}\n` });
    const written = await objects.get(`${serverPrefix(server)}/2027-q1/prepare.gz`);
    expect(Buffer.from(written ?? []).toString()).toBe('a result');
  });

  it('may not write anywhere else, and says so without trying again', async () => {
    writeFileSync(join(folder, 'result'), 'x');
    const { run } = await withEndpoints(
      `identify && put_object servers/someone/else.gz ${folder}/result ${sha256Of('x')} ${explain}`,
    );
    expect(run.stdout).toContain('HTTP 403');
  });

  describe('to the backup bucket', () => {
    const key = `${backupPrefix(server)}/2027-q1/configuration.tar.gz`;
    const put = `identify && put_confirmed ${backupBucket} "backups/\${SERVER_PREFIX#*/}/2027-q1/configuration.tar.gz" ${folder}/archive ${sha256Of('an archive')} 60 && echo "$Bucket" ${explain}`;

    it('has S3 confirm the hash, and leaves the campaign bucket the one that is asked next', async () => {
      writeFileSync(join(folder, 'archive'), 'an archive');
      const { run, backups } = await withEndpoints(put);
      expect(run).toMatchObject({ stdout: `${bucket}\n`, stderr: '' });
      expect(Buffer.from((await backups.get(key)) ?? []).toString()).toBe('an archive');
    });

    it('has failed where S3 confirms nothing, or another hash', async () => {
      writeFileSync(join(folder, 'archive'), 'an archive');
      for (const headers of [{}, { 'x-amz-checksum-sha256': `${'A'.repeat(43)}=` }]) {
        const { run } = await withEndpoints(put, {
          wrap: () => (request, response) => {
            request.resume().on('end', () => response.writeHead(200, headers).end());
          },
        });
        expect(run.stdout).toContain('S3 did not confirm the SHA-256');
      }
    });

    it('brings an archive once more whose answer was lost', async () => {
      writeFileSync(join(folder, 'archive'), 'an archive');
      const { run, backups } = await withEndpoints(put, {
        before: ({ faults }) => faults.failNext(1, 'lost-answer', { method: 'PUT' }),
      });
      expect(run.stdout).toBe(`${bucket}\n`);
      expect(await backups.get(key)).toBeDefined();
    });
  });

  it('tries again after errors that pass by themselves', async () => {
    const { run } = await withEndpoints(`identify && ${get}`, {
      before: ({ faults }) => {
        faults.failNext(1, 'InternalError');
        faults.failNext(1, 'cut');
      },
    });
    expect(run).toMatchObject({ code: 0, stdout: 'an order\n' });
  });

  it.each<[string, (body: string) => string | number]>([
    ['announces', (body) => Buffer.byteLength(body)],
    ['does not announce', () => 'chunked'],
  ])('fetches no object of more than 64 MiB, also where S3 %s its size', async (_, sizeOf) => {
    let asked = 0;
    const { run } = await withEndpoints(
      `identify && { rm -f ${folder}/large; get_object key ${folder}/large ${explain}; [[ ! -e ${folder}/large ]] || stat -c %s ${folder}/large; }`,
      {
        wrap: () => (_request, response) => {
          asked++;
          const body = 'x'.repeat(65 * 1024 * 1024);
          const size = sizeOf(body);
          response.writeHead(200, size === 'chunked' ? {} : { 'content-length': size });
          response.end(body);
        },
      },
    );
    expect(run.stdout).toContain('GET key: HTTP');
    expect(Number(/\n(\d+)\n$/.exec(run.stdout)?.[1] ?? 0)).toBeLessThanOrEqual(64 * 1024 * 1024);
    expect(asked).toBe(1);
  });

  it('tries again when an answer is cut off, though it began well', async () => {
    let asked = 0;
    const { run } = await withEndpoints(`identify && ${get}`, {
      wrap: (s3) => (request, response) => {
        asked++;
        if (asked > 1) return s3(request, response);
        response.writeHead(200, { 'content-length': 1000 });
        response.write('an or', () => response.destroy());
      },
    });
    expect(run).toMatchObject({ code: 0, stdout: 'an order\n' });
    expect(asked).toBe(2);
  });

  it.each([
    ['from instance metadata', true],
    ['from the answer of S3', false],
  ])('corrects a clock that is an hour off, learning the time %s', async (_, metadataDate) => {
    const { run } = await withEndpoints(`identify && ${get} && echo "$CLOCK_OFFSET"`, {
      skewSeconds: 3600,
      metadataDate,
    });
    const [order, offset] = run.stdout.trim().split('\n');
    expect(order).toBe('an order');
    expect(Math.abs(Number(offset) - 3600)).toBeLessThan(5);
  });

  it('refuses to work when the agent and the instance metadata do not agree on who this is', async () => {
    const { run } = await withEndpoints(`AWS_SSM_INSTANCE_ID=i-00000000000000001; identify ${explain}`);
    expect(run.stdout).toContain('the agent says this is i-00000000000000001');
  });

  it('reads the credentials file of hybrid nodes', async () => {
    const hybrid = { id: 'mi-0123456789abcdef0', place };
    const file = join(folder, 'credentials');
    const { run } = await withEndpoints(
      `AWS_SSM_INSTANCE_ID=${hybrid.id} AWS_SHARED_CREDENTIALS_FILE=${file}; identify && ${get} && echo "$SERVER_PREFIX"`,
      { before: (endpoints) => writeFileSync(file, endpoints.credentialsFile(hybrid)) },
    );
    expect(run).toMatchObject({ code: 0, stdout: `an order\n${serverPrefix(hybrid)}\n` });
  });

  it('puts no secret into the arguments of a program', async () => {
    const bin = join(folder, 'bin');
    const seen = join(folder, 'arguments');
    const script = `
      mkdir -p ${bin}
      for program in curl sha256sum date tee; do
        printf '#!/bin/bash\\nprintf "%%s\\\\n" "$0 $*" >>${seen}\\nexec %s "$@"\\n' "$(command -v $program)" >${bin}/$program
        chmod +x ${bin}/$program
      done
      PATH=${bin}:$PATH
      identify && ${get}
      printf '%s\\n' "$SECRET_KEY" "$SESSION_TOKEN" "$SIGNING_KEY" "$METADATA_TOKEN"`;
    const { run } = await withEndpoints(script);
    const [, ...secrets] = run.stdout.trim().split('\n');
    const programs = readFileSync(seen, 'utf8');
    expect(programs).toContain('curl -q');
    expect(secrets).toHaveLength(4);
    for (const secret of secrets) {
      expect(secret.length).toBeGreaterThan(20);
      expect(programs).not.toContain(secret);
    }
  });
});
