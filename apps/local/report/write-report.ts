/** Writes the report into a folder: the page for people, and the same data beside it for programs. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { ReportData } from './report-data.ts';
import { reportPage } from './report-page.ts';

/** @returns the absolute path of the page */
export async function writeReport(folder: string, data: ReportData): Promise<string> {
  const target = resolve(folder);
  await mkdir(target, { recursive: true });
  const page = join(target, 'report.html');
  await writeFile(join(target, 'report.json'), `${JSON.stringify(reportJson(data), null, 2)}\n`);
  await writeFile(page, reportPage(data));
  return page;
}

/** All that the page was made of, logs in full. */
function reportJson(data: ReportData) {
  return {
    schema: 1,
    ...data,
    logs: Object.fromEntries(data.logs),
    findings: Object.fromEntries(data.findings),
  };
}
