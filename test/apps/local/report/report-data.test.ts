import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createMemoryObjects } from '../../../../apps/local/memory-objects.ts';
import { loadReport } from '../../../../apps/local/report/report-data.ts';
import { writeReport } from '../../../../apps/local/report/write-report.ts';
import { sha256Of } from '../../../../core/plan.ts';
import { reportKey } from '../../../../core/report.ts';
import { sampleReport } from '../../../support/sample-report.ts';
import { resultText } from '../../../support/samples.ts';

const sample = sampleReport(['web-1', 'mail-1']);
const [part = ''] = sample.report.parts;

/** What servers wrote: web-1 logs, mail-1 nonsense. */
const written = (name: string, phase: string) =>
  name === 'web-1' ? gzipSync(resultText({ log: `${phase} log\n` })) : Buffer.from('no gzip');

/** The rows with the hashes of what was written. */
const jobs = sample.jobs.map((job) => ({
  ...job,
  phases: Object.fromEntries(
    Object.entries(job.phases).map(([phase, result]) => {
      const content = written(job.server.name, phase);
      const object = result?.object && { ...result.object, sha256: sha256Of(content), bytes: content.length };
      return [phase, { ...result, object }];
    }),
  ),
}));

/** The bucket of a closed campaign. */
async function bucket() {
  const objects = createMemoryObjects('campaigns', 'eu-central-1');
  await objects.put(reportKey(sample.report.campaign.id), JSON.stringify(sample.report));
  await objects.put(part, JSON.stringify({ schema: 1, jobs }));
  for (const job of sample.jobs) {
    for (const [phase, result] of Object.entries(job.phases)) {
      await objects.put(result?.object?.key ?? '', written(job.server.name, phase));
    }
  }
  return objects;
}

describe('loading a report', () => {
  test('brings the rows of all parts, and the logs that servers wrote', async () => {
    const { report, jobs: rows, logs } = await loadReport(await bucket(), sample.report.campaign.id);
    expect(report).toEqual(sample.report);
    expect(rows).toEqual(jobs);
    expect(logs.get(jobs[0]?.server.id ?? '')).toEqual([
      { phase: 'prepare', text: 'prepare log\n' },
      { phase: 'patch', text: 'patch log\n' },
      { phase: 'verify', text: 'verify log\n' },
    ]);
  });

  test.each([
    ['another log', gzipSync(resultText({ log: 'all went well\n' }))],
    ['more than anybody should read', new Uint8Array(4 * 1024 * 1024 + 1)],
  ])('does not show what a server wrote after it had answered: %s', async (_, content) => {
    const objects = await bucket();
    await objects.put(jobs[0]?.phases.patch?.object?.key ?? '', content);
    const { logs } = await loadReport(objects, sample.report.campaign.id);
    expect(logs.get(jobs[0]?.server.id ?? '')?.[1]?.text).toMatch(
      /is not what it was when the server answered/,
    );
  });

  test('goes on where a server wrote something else, and says so', async () => {
    const { logs } = await loadReport(await bucket(), sample.report.campaign.id);
    const [log] = logs.get(jobs[1]?.server.id ?? '') ?? [];
    expect(log?.text).toMatch(/^the result object .*prepare\.gz can not be read: /);
  });

  test('refuses a campaign that was not closed', async () => {
    await expect(
      loadReport(createMemoryObjects('campaigns', 'eu-central-1'), 'spring-2027-web'),
    ).rejects.toThrow('campaigns/spring-2027-web/report.json is not in the bucket: is the campaign closed?');
  });
});

describe('writing a report', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'report-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('puts the page and the whole data beside each other, logs in full', async () => {
    const page = await writeReport(join(folder, 'deep', 'down'), sample);
    expect(page).toBe(join(folder, 'deep', 'down', 'report.html'));
    expect(await readFile(page, 'utf8')).toContain('<!doctype html>');
    const json = JSON.parse(await readFile(join(folder, 'deep', 'down', 'report.json'), 'utf8'));
    expect(json).toEqual({
      schema: 1,
      ...sample,
      logs: Object.fromEntries(sample.logs),
      findings: Object.fromEntries(sample.findings),
    });
  });
});
