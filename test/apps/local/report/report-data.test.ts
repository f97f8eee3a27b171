import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createMemoryObjects } from '../../../../apps/local/memory-objects.ts';
import { loadReport } from '../../../../apps/local/report/report-data.ts';
import { writeReport } from '../../../../apps/local/report/write-report.ts';
import { reportKey } from '../../../../core/report.ts';
import { sampleReport } from '../../../support/sample-report.ts';
import { resultText } from '../../../support/samples.ts';

const sample = sampleReport(['web-1', 'mail-1']);
const [part = ''] = sample.report.parts;

/** The bucket of a closed campaign; web-1 wrote logs, mail-1 wrote nonsense. */
async function bucket() {
  const objects = createMemoryObjects('campaigns', 'eu-central-1');
  await objects.put(reportKey(sample.report.campaign.id), JSON.stringify(sample.report));
  await objects.put(part, JSON.stringify({ schema: 1, jobs: sample.jobs }));
  for (const job of sample.jobs) {
    for (const [phase, result] of Object.entries(job.phases)) {
      const good = gzipSync(resultText({ log: `${phase} log\n` }));
      await objects.put(result?.object?.key ?? '', job.server.name === 'web-1' ? good : 'no gzip');
    }
  }
  return objects;
}

describe('loading a report', () => {
  test('brings the rows of all parts, and the logs that servers wrote', async () => {
    const { report, jobs, logs } = await loadReport(await bucket(), sample.report.campaign.id);
    expect(report).toEqual(sample.report);
    expect(jobs).toEqual(sample.jobs);
    expect(logs.get(jobs[0]?.server.id ?? '')).toEqual([
      { phase: 'prepare', text: 'prepare log\n' },
      { phase: 'patch', text: 'patch log\n' },
      { phase: 'verify', text: 'verify log\n' },
    ]);
  });

  test('goes on where a server wrote something else, and says so', async () => {
    const { jobs, logs } = await loadReport(await bucket(), sample.report.campaign.id);
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
    expect(json).toEqual({ schema: 1, ...sample, logs: Object.fromEntries(sample.logs) });
  });
});
