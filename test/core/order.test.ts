import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exclusionPattern } from '../../core/exclusion-pattern.ts';
import { orderText } from '../../core/order.ts';
import { parsePlanLine, sha256Of } from '../../core/plan.ts';
import { campaignId, entryOf, policyOf, serverId } from '../support/samples.ts';

const order = fc.uniqueArray(
  fc.record({
    serverId: fc.nat(500).map(serverId),
    exclusions: fc.array(fc.stringMatching(exclusionPattern), { maxLength: 3 }),
    plan: fc.option(
      fc
        .uniqueArray(fc.stringMatching(/^[a-z][a-z0-9.+-]{1,9}$/), { maxLength: 4 })
        .map((names) => names.map((name) => entryOf({ name }))),
    ),
  }),
  { selector: ({ serverId }) => serverId, maxLength: 5 },
);

/** Reads an order the way a server does: its own section, line by line. */
function readSection(text: string, id: string) {
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));
  const start = lines.findIndex(([kind, server]) => kind === 'server' && server === id);
  const next = lines.findIndex(([kind], index) => index > start && kind === 'server');
  const section = lines.slice(start + 1, next < 0 ? undefined : next);
  const fields = (kind: string) =>
    section.filter(([first]) => first === kind).map(([, ...rest]) => rest.join('\t'));
  return { exclusions: fields('exclude'), hash: fields('plan')[0], entries: fields('entry') };
}

describe('an order', () => {
  test('tells every server its exclusions and its plan', () => {
    fc.assert(
      fc.property(order, (servers) => {
        const text = orderText(campaignId, 'patch', servers);
        for (const { serverId: id, exclusions, plan } of servers) {
          const section = readSection(text, id);
          expect(section.exclusions).toEqual(exclusions);
          const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
          expect(section.entries.map(parsePlanLine).toSorted(byName)).toEqual((plan ?? []).toSorted(byName));
          expect(section.hash !== undefined).toBe(plan !== null);
        }
      }),
    );
  });

  test('lets a server check its plan with awk and sha256sum alone', () => {
    fc.assert(
      fc.property(order, (servers) => {
        const text = orderText(campaignId, 'patch', servers);
        for (const { serverId: id, plan } of servers) {
          if (plan === null) continue;
          const { hash, entries } = readSection(text, id);
          const canonical = `quarterdeck-plan\t1\t${id}\n${entries.map((line) => `${line}\n`).join('')}`;
          expect(sha256Of(canonical)).toBe(hash);
        }
      }),
    );
  });

  test('names campaign and phase, and ends with a line feed', () => {
    expect(orderText(campaignId, 'verify', [])).toBe(`quarterdeck-order\t1\t${campaignId}\tverify\n`);
  });

  test('tells a server its hooks, services and probes, and all of them what is backed up', () => {
    const { hooks, validation } = policyOf({
      hooks: [
        {
          name: 'drain',
          when: 'before-patch',
          run: { object: 'hooks/drain.sh', sha256: '0f'.repeat(32) },
          undo: { path: '/opt/undrain' },
          onFailure: 'warn',
        },
      ],
      validation: {
        probes: [
          { kind: 'http', name: 'web', url: 'http://localhost/health' },
          { kind: 'tcp', name: 'port', port: 5432 },
          { kind: 'command', name: 'own', command: ['/opt/check', '--all', 'two words'], tries: 1 },
        ],
      },
    });
    const server = { serverId: serverId(1), exclusions: [], plan: null, hooks, services: ['nginx.service'] };
    const text = orderText(campaignId, 'patch', [{ ...server, probes: validation.probes }], {
      never: [],
      backup: { paths: ['/etc'], exclude: ['/etc/ssl/*'] },
    });
    expect(text.trimEnd().split('\n').slice(2)).toEqual([
      'backup\tpath\t/etc',
      'backup\texclude\t/etc/ssl/*',
      `hook\tbefore-patch\tdrain\t60\twarn\thooks/drain.sh\t${'0f'.repeat(32)}\t/opt/undrain\t-`,
      'service\tnginx.service',
      'probe\thttp\tweb\t10\t3\t200\thttp://localhost/health',
      'probe\ttcp\tport\t10\t3\t5432\t127.0.0.1',
      'probe\tcommand\town\t10\t1\t-\t/opt/check\t--all\ttwo words',
    ]);
  });

  test.each([
    '',
    '-o',
    'a b',
    'a\nserver\ti-1',
    'a\tb',
    '$(reboot)',
    '`id`',
    'a;b',
    '../etc',
    'a?',
    '[a]',
    'ä',
    'a'.repeat(129),
  ])('refuses the exclusion %j', (name) => {
    expect(() =>
      orderText(campaignId, 'prepare', [{ serverId: serverId(1), exclusions: [name], plan: null }]),
    ).toThrow('is not a package name or a * glob');
  });
});
