import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parsePlanLine, planLine } from '../../core/plan.ts';
import { readSections } from '../../core/result.ts';
import { jsonSchemas } from '../../ssm-documents/json-schemas.ts';
import { entryOf } from '../support/samples.ts';

describe('the JSON Schemas of what servers say', () => {
  it.each(Object.keys(jsonSchemas()))('%s is what the control plane reads with: npm run schema', (file) => {
    const written: unknown = JSON.parse(readFileSync(`ssm-documents/${file}`, 'utf8'));
    expect(written).toEqual(JSON.parse(JSON.stringify(jsonSchemas()[file])));
  });
});

describe('the sections of a result', () => {
  const sections = {
    plan: `${planLine(entryOf())}\n`,
    advisories:
      'RHSA-2026:1\tsecurity\timportant\tCVE-2026-1,CVE-2026-2\topenssl\tx86_64\nX-1\tother\t-\t-\ta\tnoarch\n',
    totals: 'download\t100\ninstalled\t-5\n',
    integrity: '-\t/etc/a\t??5??????\tconfig\nopenssl\t/usr/bin/openssl\tsize\tfile\n',
    services: 'nginx.service\n',
    log: 'a\n',
  };

  it('are read by what each holds', () => {
    expect(readSections(new Map(Object.entries(sections)))).toEqual({
      plan: [parsePlanLine(planLine(entryOf()))],
      advisories: [
        {
          id: 'RHSA-2026:1',
          kind: 'security',
          severity: 'important',
          cves: ['CVE-2026-1', 'CVE-2026-2'],
          name: 'openssl',
          architecture: 'x86_64',
        },
        { id: 'X-1', kind: 'other', severity: null, cves: [], name: 'a', architecture: 'noarch' },
      ],
      totals: { download: 100, installed: -5 },
      integrity: [
        { package: null, path: '/etc/a', what: '??5??????', config: true },
        { package: 'openssl', path: '/usr/bin/openssl', what: 'size', config: false },
      ],
      services: ['nginx.service'],
      log: 'a\n',
    });
  });

  it.each([
    ['an advisory of no known kind', { advisories: 'X-1\tgossip\t-\t-\ta\tnoarch\n' }],
    ['a total that is no number', { totals: 'download\tmuch\n' }],
    ['a difference that is neither of configuration nor not', { integrity: '-\t/etc/a\tsize\tmaybe\n' }],
    ['a version without a version', { after: 'tool\tall\n' }],
  ])('are refused with %s', (_, odd) => {
    expect(() => readSections(new Map(Object.entries(odd)))).toThrow();
  });
});
