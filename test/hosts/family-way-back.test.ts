import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PackageDescription } from '../../apps/local/hosts/families/package-description.ts';
import type { Host } from '../../apps/local/hosts/host.ts';
import { createTrials } from '../support/document-trials.ts';
import { createTrialFamilies, type TrialFamilies } from './family-fleet.ts';
import { shell } from './observe.ts';
import { askedOfWeb, etc, restartWeb, webFiles } from './web-package.ts';

const managers = [
  { manager: 'dnf', family: 'rhel', release: 'rocky-9' },
  { manager: 'zypper', family: 'suse', release: 'leap-15' },
  { manager: 'pacman', family: 'arch', release: 'arch' },
] as const;

const web = (version: string, configuration: string, then = ':'): PackageDescription => ({
  name: 'web',
  version,
  files: webFiles(configuration),
  scripts: { afterInstall: `${then}\n${restartWeb}` },
});
const good = web('1.0', 'status 200\n');
/** Its own new configuration can not be read, and its script changes some that is not its own. */
const bad = web('1.1', 'statsu 200\n', "echo 'status 500' >>/etc/web/local.conf; echo new >/etc/web/added");
/** A repository that lists nothing is a problem of its own. */
const ballast: PackageDescription = { name: 'ballast', version: '1.0' };

let families: TrialFamilies;
beforeAll(async () => {
  families = await createTrialFamilies({
    hosts: Object.fromEntries(managers.map(({ manager, release }) => [manager, release])),
    installed: Object.fromEntries(managers.map(({ release }) => [release, [good, ballast]])),
  });
});
afterAll(() => families?.close());

const asItIs = async (host: Host) =>
  (
    await shell(
      host,
      `cd /etc/web && sha256sum * /usr/lib/web/serve; stat -c '%n %a %u:%g' *
      curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:8080/`,
    )
  ).stdout;

describe.each(managers)(
  'a service that a new version breaks under $manager',
  ({ manager, family, release }) => {
    it('is found by verification, and well again once its package and what its script changed are back', async () => {
      const host = families.host(manager);
      const trials = createTrials(families.objects, family);
      await shell(
        host,
        `cd /etc/web && printf 'status 200\\n' >local.conf && chown 33:44 local.conf && chmod 0640 local.conf
      systemctl restart web; sleep 6`,
      );
      const before = await asItIs(host);
      expect(before).toMatch(/200$/);
      const trial = { terms: etc, asked: askedOfWeb, parameters: { RollbackTo: 'configuration' } };
      const plan = await families.whilePublished(release, [good, ballast], () =>
        families.whilePublished(release, [bad], async () => {
          const prepared = await trials.prepare(host, trial);
          expect(prepared.run.summary).toMatchObject({ result: 'planned', found: { rollbackKept: 1 } });
          const { summary } = await trials.run(host, 'patch', { ...trial, plan: prepared.plan });
          expect(summary).toMatchObject({
            result: 'patched',
            facts: { installed: true, healthy: false },
            found: { configurationChanged: 3 },
          });
          return prepared.plan;
        }),
      );
      const verified = await trials.run(host, 'verify', { ...trial, plan });
      expect(verified.summary).toMatchObject({
        facts: { installed: true, healthy: false },
        found: { servicesDown: 1, probesFailed: 1, outsidePlan: 0 },
      });
      const back = await trials.run(host, 'rollback', { ...trial, plan });
      expect(back.summary).toMatchObject({
        code: 0,
        result: 'rolled-back',
        reasons: [],
        facts: { healthy: true },
        found: { configurationChanged: 0 },
        rungs: [
          { rung: 'packages', healthy: false },
          { rung: 'configuration', healthy: true },
        ],
      });
      expect(await asItIs(host)).toBe(before);
    });
  },
);
