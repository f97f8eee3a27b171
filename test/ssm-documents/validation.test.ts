import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { orderText, type ServerOrder } from '../../core/order.ts';
import { sha256Of } from '../../core/plan.ts';
import { readSections } from '../../core/result.ts';
import { type Probe, probeSchema } from '../../core/validation.ts';

let folder: string;
let http: Server;
let port: number;

beforeAll(async () => {
  http = createServer((request, response) => {
    if (request.url === '/silent') return;
    const status = Number(request.url?.slice(1));
    response.writeHead(status, status === 302 ? { location: '/200' } : {}).end('a body');
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  port = (http.address() as AddressInfo).port;
});
afterAll(() => {
  http.closeAllConnections();
  http.close();
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'quarterdeck-validation-'));
  mkdirSync(join(folder, 'work'));
  return () => rmSync(folder, { recursive: true });
});

const serverId = 'i-0123456789abcdef0';
const campaign = '2027-q1-tests';

/** Looks at what an order asks for; `script` runs before, with functions in the place of systemd. */
async function validate(asked: Partial<ServerOrder>, { script = ':', healthy = 'true', seconds = 100 } = {}) {
  const order = orderText(campaign, 'verify', [{ serverId, exclusions: [], plan: null, ...asked }]);
  writeFileSync(join(folder, 'order'), order);
  const child = spawn('bash', [
    '--norc',
    '-c',
    `SCRIPTS=ssm-documents CampaignId=${campaign} OrderKey=orders/x OrderSha256=${sha256Of(order)}
    for name in log state json transport order result summary phase facts validate; do source ssm-documents/lib/$name.sh; done
    STATE=${folder} WORK=${folder}/work SERVER_ID=${serverId} LOG=${folder}/log
    exec {JOB_LOCK}>"$STATE/lock"
    get_object() { cp "$STATE/order" "$2"; }
    conclude() { printf '%s\\n' "$*"; exit 0; }
    seconds_left() { REPLY=${seconds}; }
    runs_systemd() { :; }
    FACTS[healthy]=${healthy} SERVICE_TRIES=1
    # Five seconds apart, and nothing here waits for them.
    sleep() { read -r -t 0.05 <> <(:) || :; }
    read_order verify failed
    ${script}
    judge_validation
    printf '%s|%s|%s\\n' "\${FACTS[healthy]}" "\${FOUND[servicesDown]:-}" "\${FOUND[probesFailed]:-}"
    printf '%s\\n' "\${REASONS[@]}" "\${WARNINGS[@]}"`,
  ]);
  const [stdout] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [facts = '', ...said] = stdout.trimEnd().split('\n');
  const file = join(folder, 'work', 'validation');
  const sections = existsSync(file)
    ? readSections(new Map([['validation', readFileSync(file, 'utf8')]]))
    : {};
  return { facts, said: said.filter((line) => line !== ''), validation: sections.validation ?? [] };
}

type ProbeInput = { kind: string } & Record<string, unknown>;
const probe = (input: ProbeInput): Probe =>
  probeSchema.parse({ name: 'web', timeoutSeconds: 5, tries: 1, ...input });
const probing = (input: ProbeInput, options?: Parameters<typeof validate>[1]) =>
  validate({ probes: [probe(input)] }, options);
const url = (path: string) => `http://127.0.0.1:${port}/${path}`;

describe('a server of which nothing is asked', () => {
  it('is as healthy as its units', async () => {
    expect(await validate({})).toMatchObject({ facts: 'true||', validation: [] });
    expect(await validate({}, { healthy: 'null' })).toMatchObject({ facts: 'null||' });
  });
});

describe('an http probe', () => {
  it('is well with the status that is expected, and follows no redirect', async () => {
    expect(await probing({ kind: 'http', url: url('200') })).toMatchObject({ facts: 'true|0|0', said: [] });
    expect(await probing({ kind: 'http', url: url('302'), status: 302 })).toMatchObject({
      facts: 'true|0|0',
    });
  });

  it.each([
    ['500', 'status 500, not 200'],
    ['302', 'status 302, not 200'],
  ])('fails with %s, and says what it saw', async (path, seen) => {
    expect(await probing({ kind: 'http', url: url(path) })).toMatchObject({
      facts: 'false|0|1',
      said: [`probe-failed\tnot as it should be: web (${seen})`],
      validation: [{ kind: 'http', name: 'web', verdict: 'failed', detail: seen }],
    });
  });

  it('fails where nobody answers, in its time', async () => {
    const began = performance.now();
    const { said } = await probing({ kind: 'http', url: url('silent'), timeoutSeconds: 1 });
    expect(said).toEqual([expect.stringContaining('curl ended with 28')]);
    expect(performance.now() - began).toBeLessThan(4000);
  });

  it('asks for the address as it is, and shows it to no user of the server', async () => {
    const seen: { url: string | undefined; shown: boolean }[] = [];
    const key = 'a-key-of-nobody-else';
    const watching = createServer((request, response) => {
      const commands = readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .map((id) => {
          try {
            return readFileSync(`/proc/${id}/cmdline`, 'utf8');
          } catch {
            // It has ended since.
            return '';
          }
        });
      seen.push({ url: request.url, shown: commands.some((words) => words.includes(key)) });
      response.writeHead(200).end();
    });
    await new Promise<void>((resolve) => watching.listen(0, '127.0.0.1', resolve));
    const path = `/x?k="${key}"&b=\\n%20$(id)`;
    try {
      const at = `http://127.0.0.1:${(watching.address() as AddressInfo).port}${path}`;
      expect(await probing({ kind: 'http', url: at })).toMatchObject({ facts: 'true|0|0' });
    } finally {
      watching.close();
    }
    expect(seen).toEqual([{ url: path, shown: false }]);
  });

  it('asks no proxy of the environment', async () => {
    const script = 'export http_proxy=http://127.0.0.1:1 ALL_PROXY=http://127.0.0.1:1';
    expect(await probing({ kind: 'http', url: url('200') }, { script })).toMatchObject({ facts: 'true|0|0' });
  });

  it('lowers no health that is unknown to well', async () => {
    const probed = await probing({ kind: 'http', url: url('200') }, { healthy: 'null' });
    expect(probed.facts).toBe('null|0|0');
  });
});

describe('a tcp probe', () => {
  it('is well where something listens, and fails where nothing does', async () => {
    expect(await probing({ kind: 'tcp', port })).toMatchObject({ facts: 'true|0|0' });
    expect(await probing({ kind: 'tcp', port: 1 })).toMatchObject({
      facts: 'false|0|1',
      said: ['probe-failed\tnot as it should be: web (no connection to 127.0.0.1 port 1)'],
    });
  });
});

describe('a command probe', () => {
  const command = (...words: string[]) => probing({ kind: 'command', command: words, timeoutSeconds: 1 });

  it('gets its words as they are, empty ones too, and no shell reads them', async () => {
    const script = join(folder, 'see');
    writeFileSync(script, '#!/bin/bash\n[[ $# == 3 && $1 == "" && $2 == "\\$(touch x); *" && $3 == "" ]]\n', {
      mode: 0o755,
    });
    expect((await command('/bin/bash', script, '', '$(touch x); *', '')).facts).toBe('true|0|0');
    expect((await command('/bin/bash', script, '', 'else', '')).said).toEqual([
      'probe-failed\tnot as it should be: web (ended with 1)',
    ]);
  });

  it('is none that others than root could have written, nor one that is not there', async () => {
    const script = join(folder, 'see');
    writeFileSync(script, `#!/bin/bash\n: >${folder}/ran\n`, { mode: 0o755 });
    const { said } = await command(script);
    expect(said).toEqual([
      `probe-failed\tnot as it should be: web (${tmpdir()} has to belong to root and to be writable by nobody else)`,
    ]);
    expect(existsSync(join(folder, 'ran'))).toBe(false);
    expect((await command('/usr/bin/no-such-thing')).said[0]).toContain(
      '/usr/bin/no-such-thing is not there',
    );
  });

  it('is killed when its time is over, with what it started', async () => {
    const marker = join(folder, 'went-on');
    const began = performance.now();
    const { said } = await command('/bin/sh', '-c', `(sleep 3; : >${marker}) & sleep 60`);
    expect(said).toEqual(['probe-failed\tnot as it should be: web (not over in 1 seconds)']);
    expect(performance.now() - began).toBeLessThan(2900);
    await sleep(3200 - (performance.now() - began));
    expect(existsSync(marker)).toBe(false);
  });

  it('that leaves a program behind does not hold the look', async () => {
    const began = performance.now();
    expect((await command('/bin/sh', '-c', 'setsid sleep 5 & exit 0')).facts).toBe('true|0|0');
    expect(performance.now() - began).toBeLessThan(4000);
  });

  it('has little of what it says in the log, and sees none of the environment', async () => {
    await command(
      '/bin/sh',
      '-c',
      'env; i=0; while [ $i -lt 3000 ]; do echo spam; i=$((i + 1)); done; echo last',
    );
    const log = readFileSync(join(folder, 'log'), 'utf8');
    expect(log).toContain('last');
    expect(log.length).toBeLessThan(1500);
    const script = 'export SSM_Bucket=campaigns';
    await probing({ kind: 'command', command: ['/usr/bin/env'] }, { script });
    const seen = readFileSync(join(folder, 'log'), 'utf8');
    expect(seen).toContain('HOME=/root');
    expect(seen).not.toContain('SSM_Bucket');
  });

  it('is tried again as often as it may be, and is well when one try is', async () => {
    const count = join(folder, 'count');
    const words = ['/bin/sh', '-c', `echo >>${count}; [ $(grep -c '' ${count}) -ge 3 ]`];
    const tried = await probing({ kind: 'command', command: words, tries: 3 });
    expect(tried.facts).toBe('true|0|0');
    rmSync(count);
    expect((await probing({ kind: 'command', command: words, tries: 2 })).facts).toBe('false|0|1');
  });
});

describe('a service', () => {
  const asked = { services: ['web.service', 'other.service'] };
  const says = (word: string, since = '1') =>
    `systemctl() { :; }; timeout() { shift; [[ $2 != is-active ]] || { [[ $4 == other.service ]] && echo active || echo '${word}'; }
      [[ $2 != show ]] || echo ActiveEnterTimestampMonotonic=${since}; }`;

  it('is well when it is active, and has been so for a while', async () => {
    expect(await validate(asked, { script: says('active') })).toMatchObject({ facts: 'true|0|0', said: [] });
  });

  it.each(['failed', 'inactive', 'activating', 'deactivating'])('is down when it is %s', async (word) => {
    expect(await validate(asked, { script: says(word) })).toMatchObject({
      facts: 'false|1|0',
      said: [`service-down\tnot active: web.service (${word})`],
    });
  });

  it('is down when it was started a moment ago, as one is that falls again and again', async () => {
    const now = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1e6;
    const { said } = await validate(asked, { script: says('active', String(Math.round(now))) });
    expect(said[0]).toContain('web.service (active for less than 5 seconds)');
  });

  it.each([
    ['systemd does not answer', says('')],
    ['there is no systemd', 'runs_systemd() { return 1; }'],
    ['no time is left', 'seconds_left() { REPLY=1; }'],
  ])('is unknown where %s, and so is health', async (_, script) => {
    const looked = await validate({ services: ['web.service'] }, { script });
    expect(looked.facts).toBe('null|0|0');
    expect(looked.said).toEqual(['validation-unknown\tcould not be looked at: web.service']);
    expect(looked.validation).toMatchObject([{ verdict: 'unknown' }]);
  });
});

describe('many looks', () => {
  it('take as long as the longest', async () => {
    const probes = ['a', 'b', 'c', 'd'].map((name) =>
      probe({ name, kind: 'command', command: ['/bin/sleep', '60'], timeoutSeconds: 1 }),
    );
    const began = performance.now();
    const { said } = await validate({ probes });
    expect(performance.now() - began).toBeLessThan(3500);
    expect(said[0]).toMatch(/a \(.*b \(.*c \(.* and 1 more$/);
  });
});

describe('an order', () => {
  it.each([
    'probe\thttp\tweb\t1\t1\t200\tfile:///etc/shadow',
    'probe\thttp\tweb\t1\t1\t-\thttp://x/',
    'probe\thttp\tweb\t1\t1\t200\thttp://x/\t--output=/etc/x',
    'probe\ttcp\tweb\t1\t1\t80\t-x',
    'probe\tcommand\tweb\t1\t1\t-\trelative',
  ])('with a probe that no order has is refused: %s', async (line) => {
    const asked = { services: ['web.service'] };
    const script = `printf '%s\\n' '${line}' >>"$STATE/order"; sha256_of_stdin <"$STATE/order"; OrderSha256=$REPLY; read_order verify failed`;
    expect((await validate(asked, { script })).facts).toMatch(/^1 failed order-malformed /);
  });
});
