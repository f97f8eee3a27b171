import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PlanEntry } from '../../core/plan.ts';
import { type ShimTrial, spec, startShimTrial, withoutProgram, withProgram } from './shim-trial.ts';

let trial: ShimTrial;

beforeEach(async () => {
  trial = await startShimTrial([spec('lib', '1.0-1')]);
});

afterEach(() => trial.fleet.close());

const codes = (reasons: readonly { code: string }[]) => reasons.map(({ code }) => code);

describe('a program that is missing', () => {
  it.each(['curl', 'comm', 'gzip', 'flock', 'awk', 'sha256sum'])(
    'is named before anything needs it: %s',
    async (name) => {
      const { summary, exit } = await trial.run(await withoutProgram(trial, name), 'prepare');
      expect(exit).toBe(1);
      expect(summary).toMatchObject({ code: 1, result: 'blocked', server: trial.host.id, object: null });
      expect(summary.reasons).toEqual([{ code: 'tool-missing', detail: `not found: ${name}` }]);
    },
  );
});

describe('no identity', () => {
  it('is a reason in a summary that says whose it is', async () => {
    const env = { ...trial.host.env, AWS_EC2_METADATA_SERVICE_ENDPOINT: 'http://127.0.0.1:1' };
    const { summary } = await trial.run({ ...trial.host, env }, 'prepare');
    expect(summary).toMatchObject({ result: 'blocked', server: trial.host.id, object: null });
    expect(codes(summary.reasons)).toEqual(['no-identity']);
  });
});

describe('what could not be checked is not taken for good:', () => {
  let plan: readonly PlanEntry[];

  beforeEach(async () => {
    await trial.fleet.repository.publish('stable', [spec('lib', '1.1-1')]);
    ({ plan } = await trial.prepare(trial.host));
  });

  it.each([
    ['comm does not run', 'comm', 'exit 127'],
    ['systemd does not answer', 'systemctl', '[[ $1 == is-system-running ]] && echo running; exit 1'],
  ])('health is unknown where %s', async (_, name, script) => {
    const { host, run } = trial;
    expect((await run(host, 'patch', { plan })).summary.facts.healthy).toBe(true);
    const broken = await withProgram(trial, name, script);
    const { summary } = await run(broken, 'verify', { plan });
    expect(summary).toMatchObject({ result: 'verified', facts: { installed: true, healthy: null } });
  });

  it('health is unknown after a patch that could not look before it began', async () => {
    const broken = await withProgram(trial, 'systemctl', 'exit 1');
    const { summary } = await trial.run(broken, 'patch', { plan });
    expect(summary).toMatchObject({ result: 'patched', facts: { installed: true, healthy: null } });
  });

  it('packages that dpkg can not audit are not healthy', async () => {
    await trial.run(trial.host, 'patch', { plan });
    const broken = await withProgram(
      trial,
      'dpkg',
      'if [[ $1 == --audit ]]; then echo "dpkg: error: no memory" >&2; exit 2; fi',
    );
    const { summary } = await trial.run(broken, 'verify', { plan });
    expect(summary).toMatchObject({ facts: { healthy: false }, reasons: [{ code: 'packages-broken' }] });
  });

  it('packages that can not be listed are not installed', async () => {
    await trial.run(trial.host, 'patch', { plan });
    const broken = await withProgram(trial, 'dpkg-query', 'exit 2');
    const { summary } = await trial.run(broken, 'verify', { plan });
    expect(summary).toMatchObject({ code: 101, result: 'failed', facts: { installed: null } });
  });

  it('a need for a reboot is unknown where /boot can not be read', async () => {
    await trial.run(trial.host, 'patch', { plan });
    const broken = await withProgram(trial, 'find', '[[ $1 == */boot ]] && exit 1');
    const { summary } = await trial.run(broken, 'verify', { plan });
    expect(summary).toMatchObject({ result: 'verified', facts: { rebootPending: null } });
  });

  it('a plan that could not be put together is not "nothing to do"', async () => {
    const broken = await withProgram(trial, 'sort', '[[ $# == 0 ]] && exit 1');
    const { summary } = await trial.run(broken, 'prepare', { campaign: '2027-q1-again' });
    expect(summary).toMatchObject({ result: 'blocked', reasons: [{ code: 'script-failed' }] });
  });

  it('a resolver that could not be read to its end has no plan', async () => {
    const broken = await withProgram(trial, 'awk', '[[ $1 != *"kept back"* ]] || exit 2');
    const { summary } = await trial.run(broken, 'prepare', { campaign: '2027-q1-again' });
    expect(summary).toMatchObject({ result: 'blocked', reasons: [{ code: 'script-failed' }] });
  });
});

describe('nothing to do', () => {
  const release = () => join(trial.fleet.repository.folder, 'dists/trixie/InRelease');
  const prepared = async () => (await trial.run(trial.host, 'prepare')).summary;

  beforeEach(() => trial.fleet.repository.publish('stable', [spec('lib', '1.0-1')]));

  it('is compliant, with no reboot pending', async () => {
    expect(await prepared()).toMatchObject({
      code: 2,
      result: 'nothing-to-do',
      facts: { installed: true, rebootPending: false, rebooted: null, compliant: true },
      warnings: [],
    });
  });

  it('says that a reboot is pending', async () => {
    await trial.host.writeFile('/run/reboot-required', '', 0o644);
    expect(await prepared()).toMatchObject({
      result: 'nothing-to-do',
      facts: { rebootPending: true, compliant: true },
      warnings: [{ code: 'reboot-needed' }],
    });
  });

  it('is not compliant past the end of life of the release', async () => {
    await trial.host.writeFile('/etc/os-release', 'ID=debian\nVERSION_ID="9"\n', 0o644);
    expect(await prepared()).toMatchObject({
      result: 'nothing-to-do',
      facts: { installed: true, compliant: false },
      warnings: [{ code: 'release-end-of-life' }],
    });
  });

  it('is not compliant with metadata that is past its last day', async () => {
    const text = await readFile(release(), 'utf8');
    const old = text.replace(/^Suite:/m, 'Valid-Until: Thu, 01 Jan 2026 00:00:00 UTC\nSuite:');
    expect(old).not.toBe(text);
    await writeFile(release(), old);
    expect(await prepared()).toMatchObject({
      result: 'nothing-to-do',
      facts: { installed: true, compliant: false },
      warnings: [{ code: 'metadata-stale' }],
    });
  });
});

describe('passwords in sources', () => {
  it('reach neither log nor reasons, and copies of sources are for root alone', async () => {
    const { host, fleet } = trial;
    const sources = `deb [trusted=yes] https://someone:s3cr3t%40x@mirror.example/debian trixie main\n`;
    await host.writeFile('/etc/apt/sources.list', sources, 0o600);
    const { summary, log, sections } = await trial.run(host, 'prepare');
    expect(summary).toMatchObject({ result: 'blocked', reasons: [{ code: 'repository-unreachable' }] });
    expect(summary.reasons[0]?.detail).toContain('https://mirror.example/debian');
    const written = await host.readFile(`/var/lib/quarterdeck/2027-q1-${host.name}/state/prepare.log`);
    for (const words of [JSON.stringify(summary), log, sections.get('log'), written]) {
      expect(words).toContain('mirror.example');
      expect(words).not.toContain('s3cr3t');
    }
    const root = join(fleet.repository.folder, '..', 'hosts', host.id);
    for (const copy of ['sources.list', 'sources.list.d']) {
      const { mode } = await stat(join(root, `var/lib/quarterdeck/2027-q1-${host.name}/apt`, copy));
      expect(mode & 0o077, copy).toBe(0);
    }
  });
});

describe('verifying with a mirror that never answers', () => {
  it('ends in time and says so', async () => {
    await trial.fleet.repository.publish('stable', [spec('lib', '1.1-1')]);
    const { plan } = await trial.prepare(trial.host);
    await trial.run(trial.host, 'patch', { plan });
    const silent = await withProgram(trial, 'apt-get', '[[ " $* " != *" update "* ]] || exec sleep 300');
    const { summary } = await trial.run(silent, 'verify', { plan, parameters: { TimeBudget: '20' } });
    expect(summary).toMatchObject({
      result: 'verified',
      facts: { installed: true },
      warnings: [{ code: 'repository-unreachable', detail: expect.stringContaining('not in time') }],
    });
  }, 90_000);
});
