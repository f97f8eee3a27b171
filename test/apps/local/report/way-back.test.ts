import { describe, expect, test } from 'vitest';
import { reportPage } from '../../../../apps/local/report/report-page.ts';
import { resultTable } from '../../../../apps/local/report/result-table.ts';
import type { ReportJob } from '../../../../core/report.ts';
import { sampleReport } from '../../../support/sample-report.ts';
import { serverArchive } from '../../../support/server-archive.ts';

const sample = sampleReport();
const [first] = sample.jobs as [ReportJob];
const patch = first.phases.patch as NonNullable<ReportJob['phases']['patch']>;
const back: ReportJob = {
  ...first,
  state: 'rolled-back',
  reasons: [{ code: 'service-down', detail: 'not active: web.service' }],
  phases: {
    ...first.phases,
    rollback: { ...patch, result: 'rolled-back', rungs: [{ rung: 'packages', healthy: true }] },
  },
  packages: first.packages.map((change) => ({ ...change, to: change.from })),
};
const id = first.server.id;
const { archive } = serverArchive('backups/one/configuration.tar.gz');
const stored = {
  schema: 1 as const,
  serverId: id,
  campaignId: sample.report.campaign.id,
  archive,
  resultKey: 'servers/one/patch.gz',
  at: sample.report.closedAt,
  keepDays: 90,
  keepLast: 3,
  check: { at: sample.report.closedAt, good: true, detail: '' },
  replica: null,
  removedAt: null,
  lookAt: sample.report.closedAt,
};
const restored = { serverId: id, campaignId: 'c', madeAt: '', files: 5, packages: 10, differences: [] };
const data = {
  ...sample,
  jobs: [back],
  rehearsed: id,
  findings: new Map([
    [
      id,
      {
        validation: [
          { kind: 'service' as const, name: 'web.service', verdict: 'ok' as const, detail: 'active' },
        ],
        steps: [{ rung: 'packages' as const, action: 'back' as const, subject: 'web', from: '2', to: '1' }],
        configuration: [
          {
            path: '/etc/web/web.conf',
            before: { type: 'file' as const, sha256: 'a'.repeat(64), attributes: '644:0:0' },
            after: { type: 'file' as const, sha256: 'b'.repeat(64), attributes: '644:0:0' },
          },
        ],
      },
    ],
  ]),
  backups: {
    stored: [stored],
    restore: { schema: 1 as const, at: '', restored: [restored], good: true },
  },
};
const text = (html: string) =>
  html.replaceAll(/<style>[\s\S]*<\/style>|<script>[\s\S]*<\/script>|<[^>]+>/g, ' ').replaceAll(/\s+/g, ' ');

describe('a server that went back', () => {
  const page = text(reportPage(data));

  test('is shown with the rungs that brought it back, and what each did', () => {
    expect(page).toContain('packages : web 2 → 1 the server was well after it');
    expect(page).toContain('/etc/web/web.conf changed');
    expect(page).toContain('service web.service: ok active');
  });

  test('has packages that were brought back, and not such as never came', () => {
    expect(page.match(/brought back/g)).toHaveLength(back.packages.length);
    expect(resultTable(data, { columns: 120, colour: false, page: 'x' })).toContain(
      `0/${back.packages.length}`,
    );
  });

  test('is told to be the one that a run broke on purpose', () => {
    expect(page).toContain(`${first.server.name} shows the way back`);
    const other = { ...data, jobs: [{ ...back, state: 'succeeded' as const }] };
    expect(text(reportPage(other))).toContain('should have shown the way back, and did not');
  });
});

describe('backups on the report', () => {
  test('are counted, with what reading and restoring them showed', () => {
    expect(text(reportPage(data))).toContain(
      '1 backup made before patching, 1 read back and as made. One restored as a test: 5 files and the list of 10 packages came back as they were.',
    );
  });

  test('that did not come back are named', () => {
    const restore = {
      ...data.backups.restore,
      good: false,
      restored: [{ ...restored, differences: ['/etc/hosts is not there'] }],
    };
    const page = text(reportPage({ ...data, backups: { stored: [stored], restore } }));
    expect(page).toContain('The restore test FAILED: /etc/hosts is not there');
    expect(page).toContain(`${id}: /etc/hosts is not there`);
  });
});

describe('rollbacks that people asked for after the campaign', () => {
  const asked = {
    number: 1,
    by: 'ann@example.com',
    reason: 'the shop does not like <it>',
    to: 'configuration' as const,
    dryRun: false,
    at: '2026-11-22T08:00:00.000Z',
    servers: 3,
    endedAt: '2026-11-22T08:04:00.000Z',
    counts: { 'rolled-back': 2, 'rollback-failed': 1 },
  };
  const pageWith = (...rollbacks: NonNullable<typeof sample.report.rollbacks>) =>
    reportPage({ ...data, report: { ...sample.report, rollbacks } });

  test('are shown with who, why, how far, when, and what came of it', () => {
    expect(text(pageWith(asked))).toContain(
      'Rollback of 3 servers , asked for by ann@example.com on Sun 22 Nov 2026, 09:00 : the shop does not like &lt;it&gt; ' +
        'As far as needed: packages, then configuration. What came of it: 2 rolled back, 1 rollback failed. Ended Sun 22 Nov 2026, 09:04',
    );
    expect(pageWith(asked)).toContain('<li class="bad"><b>Rollback of 3 servers');
    expect(pageWith({ ...asked, counts: { 'rolled-back': 3 } })).toContain(
      '<li class="watch"><b>Rollback of',
    );
  });

  test('are told apart from dry runs, and from what has not ended', () => {
    const dry = { ...asked, number: 2, dryRun: true, to: 'kernel' as const, counts: { possible: 3 } };
    const page = text(pageWith(dry, { ...asked, number: 3, endedAt: null, counts: {} }));
    expect(page).toContain('Dry run of 3 servers');
    expect(page).toContain('then the kernel before. Nothing was touched; answers: 3 possible.');
    expect(page).toContain('It has not ended.');
  });

  test('leave no trace where there were none', () => {
    expect(text(pageWith())).not.toContain('Asked for by people');
  });

  test('of servers whose patch had gone well are not told as failures of it', () => {
    const history = [
      ...first.history,
      { state: 'rolling-back', at: asked.at },
      { state: 'rolled-back', at: asked.at },
    ] as ReportJob['history'];
    const page = text(reportPage({ ...data, rehearsed: undefined, jobs: [{ ...back, history }] }));
    expect(page).toContain('1 patched, and rolled back by hand');
    expect(page).not.toContain('failed and was rolled back');
  });
});
