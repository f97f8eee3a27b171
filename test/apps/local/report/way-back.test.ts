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
