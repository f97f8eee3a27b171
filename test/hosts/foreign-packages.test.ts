import { afterAll, beforeAll, expect, it } from 'vitest';
import { readSections } from '../../core/result.ts';
import type { Family } from '../../core/server.ts';
import { createTrials } from '../support/document-trials.ts';
import { createTrialFamilies, plain, type TrialFamilies } from './family-fleet.ts';
import { shell } from './observe.ts';

const hosts = { rocky: 'rocky-9', fedora: 'fedora-44', leap: 'leap-15', arch: 'arch' } as const;
const installed = ['tool', 'handmade', 'amazon-ssm-agent'].map((name) => plain(name, '1.0'));
const published = ['tool', 'amazon-ssm-agent'].map((name) => plain(name, '1.1'));

let families: TrialFamilies;
beforeAll(async () => {
  families = await createTrialFamilies({
    hosts: { ...hosts, debian: 'debian-13' },
    installed: Object.fromEntries(Object.values(hosts).map((release) => [release, installed])),
    debian: { installed: installed.map(({ name }) => ({ name, version: '1.0-1' })), automatic: [] },
  });
  for (const release of Object.values(hosts))
    await families.fleet.repository(release).publish('main', published);
  await families.fleet.debianRepository.publish(
    'stable',
    published.map(({ name }) => ({ name, version: '1.1-1' })),
  );
});
afterAll(() => families?.close());

it.each<[string, Family, string]>([
  ['debian', 'debian', `dpkg-query -W -f '\${Package}\\n'`],
  ['rocky', 'rhel', "rpm -qa --qf '%{NAME}\\n'"],
  ['fedora', 'rhel', "rpm -qa --qf '%{NAME}\\n'"],
  ['leap', 'suse', "rpm -qa --qf '%{NAME}\\n'"],
  ['arch', 'arch', 'pacman -Qq'],
])(
  'on %s, packages of no repository are counted and named: not those that are only kept from updates',
  async (name, family, list) => {
    const host = families.host(name);
    const { summary, sections, log } = await createTrials(families.objects, family).run(host, 'prepare');
    expect(summary, log).toMatchObject({ result: 'planned' });
    const all = (await shell(host, list)).stdout.split('\n').filter((line) => line !== '');
    const elsewhere = all.filter((line) => !/^(tool|amazon-ssm-agent|gpg-pubkey)$/.test(line));
    const { foreign } = readSections(sections);
    expect(foreign?.toSorted()).toEqual(elsewhere.toSorted());
    expect(foreign).toContain('handmade');
    expect(summary.found.foreign).toBe(elsewhere.length);
  },
);
