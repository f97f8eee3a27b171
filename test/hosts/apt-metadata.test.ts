import type { RequestListener } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Host } from '../../apps/local/hosts/host.ts';
import { type AptFleet, createAptFleet, plain } from './apt-fleet.ts';
import { changedAnswers } from './changed-answers.ts';
import { shell } from './observe.ts';

let fleet: AptFleet;

beforeAll(async () => {
  fleet = await createAptFleet({
    names: ['source', 'silent'],
    installed: ['tool', 'bystander'].map((name) => plain(name, '1.0-1')),
  });
});

afterAll(() => fleet?.close());

const codes = (reasons: readonly { code: string }[]) => reasons.map(({ code }) => code);

const newTool = plain('tool', '1.1-1');

describe('metadata that can not be had or trusted blocks, and is never "nothing to do":', () => {
  const served = (change: (path: string, content: Buffer) => Buffer | undefined): RequestListener =>
    // The fleet is there only when a host asks.
    changedAnswers((request, response) => fleet.sandbox.repository.listener(request, response), change);
  const blocked = async (host: Host, listener: RequestListener, campaign: string) => {
    fleet.sandbox.serveRepository(host.id, listener);
    try {
      const { summary, exit } = await fleet.run(host, 'prepare', { campaign });
      expect(exit).toBe(1);
      return { code: summary.code, result: summary.result, reason: summary.reasons[0]?.code };
    } finally {
      fleet.sandbox.serveRepository(host.id, fleet.sandbox.repository.listener);
    }
  };

  it.each<[string, string, RequestListener]>([
    [
      'a repository that does not answer',
      'repository-unreachable',
      (request) => void request.socket.destroy(),
    ],
    [
      'one of two that is gone',
      'repository-unreachable',
      served((path, content) => (path.includes('security') ? undefined : content)),
    ],
    [
      'a signature that is not there',
      'key-untrusted',
      served((path, content) =>
        path.endsWith('InRelease')
          ? Buffer.from(
              content
                .toString()
                .replace(/^-----BEGIN PGP SIGNED[\s\S]*?\n\n/, '')
                .replace(/-----BEGIN PGP SIG[\s\S]*$/, ''),
            )
          : content,
      ),
    ],
    [
      'a signature that is wrong',
      'key-untrusted',
      served((path, content) =>
        path.endsWith('InRelease')
          ? Buffer.from(content.toString().replace('Origin: Debian', 'Origin: Debiam'))
          : content,
      ),
    ],
    [
      'an index that was altered',
      'metadata-altered',
      served((path, content) =>
        path.endsWith('Packages') ? Buffer.concat([content, Buffer.from('\n')]) : content,
      ),
    ],
  ])('%s', async (name, reason, listener) => {
    const host = fleet.host('source');
    await fleet.whilePublished('stable', [newTool], async () => {
      expect(await blocked(host, listener, `2027-q1-${reason}-${name.length}`)).toEqual({
        code: 103,
        result: 'blocked',
        reason,
      });
    });
  });

  it('a package file that was altered on its way', async () => {
    const host = fleet.host('source');
    const altered = served((path, content) =>
      path.endsWith('.deb') ? Buffer.from(content).fill(0, 100, 110) : content,
    );
    await fleet.whilePublished('stable', [newTool], async () => {
      expect(await blocked(host, altered, '2027-q1-altered-deb')).toEqual({
        code: 103,
        result: 'blocked',
        reason: 'download-failed',
      });
    });
  });

  it('a source that turns signature checks off', async () => {
    const host = fleet.host('source');
    const sources = (await host.readFile('/etc/apt/sources.list')) ?? '';
    await host.writeFile(
      '/etc/apt/sources.list',
      sources.replaceAll(/signed-by=\S+(?=\])/g, 'trusted=yes'),
      0o644,
    );
    try {
      const { summary } = await fleet.run(host, 'prepare', { campaign: '2027-q1-trusted' });
      expect(summary).toMatchObject({ code: 103, result: 'blocked', reasons: [{ code: 'key-untrusted' }] });
    } finally {
      await host.writeFile('/etc/apt/sources.list', sources, 0o644);
    }
  });

  it('no repository at all', async () => {
    const host = fleet.host('source');
    const sources = (await host.readFile('/etc/apt/sources.list')) ?? '';
    await host.writeFile('/etc/apt/sources.list', '', 0o644);
    try {
      const { summary } = await fleet.run(host, 'prepare', { campaign: '2027-q1-nowhere' });
      expect(summary).toMatchObject({ code: 103, result: 'blocked', reasons: [{ code: 'no-repositories' }] });
    } finally {
      await host.writeFile('/etc/apt/sources.list', sources, 0o644);
    }
  });
});

it('a mirror that no longer answers keeps no sealed plan from being installed', async () => {
  const host = fleet.host('silent');
  await fleet.whilePublished('stable', [newTool], async () => {
    const { plan } = await fleet.prepare(host);
    fleet.sandbox.serveRepository(host.id, () => {});
    const patch = await fleet.run(host, 'patch', { plan });
    expect(patch.summary).toMatchObject({
      result: 'patched',
      newer: 0,
      facts: { installed: true, compliant: true },
      warnings: [{ code: 'newer-unknown' }],
    });
    expect((await shell(host, 'cat /proc/[0-9]*/comm | grep apt-get || echo none')).stdout).toBe('none\n');
    fleet.sandbox.serveRepository(host.id, (request) => void request.socket.destroy());
    const verify = await fleet.run(host, 'verify', { plan, parameters: { MaxMetadataAge: '1' } });
    expect(verify.summary).toMatchObject({ result: 'verified', facts: { compliant: true } });
    expect(codes(verify.summary.warnings)).toContain('repository-unreachable');
  });
});
