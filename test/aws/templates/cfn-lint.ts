/** Owns the running of cfn-lint over templates: every rule, also those that only inform. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';
import type { Finding } from './ignored-findings.ts';

const outputSchema = z.array(
  z.object({
    Rule: z.object({ Id: z.string() }),
    Location: z.object({ Path: z.array(z.union([z.string(), z.number()])).nullish() }),
    Message: z.string(),
  }),
);

/** @param template JSON, as synthesised; @param region that it is deployed to */
export async function lint(tool: string, template: string, region: string): Promise<Finding[]> {
  const folder = await mkdtemp(join(tmpdir(), 'quarterdeck-cfn-lint-'));
  try {
    const file = join(folder, 'template.json');
    await writeFile(file, template);
    const { stdout } = await promisify(execFile)(
      tool,
      [
        ...['--format', 'json', '--regions', region, '--include-checks', 'I', '--include-experimental'],
        // Its exit code would tell findings from failures no better.
        ...['--non-zero-exit-code', 'none', '--template', file],
      ],
      { maxBuffer: 64 * 1024 * 1024 },
    );
    return outputSchema.parse(JSON.parse(stdout)).map(({ Rule, Location, Message }) => ({
      rule: Rule.Id,
      path: (Location.Path ?? []).join('/'),
      message: Message,
    }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
