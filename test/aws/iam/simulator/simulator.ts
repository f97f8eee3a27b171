/** Owns the asking of somebody else's evaluator of policies whether requests are allowed. */
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import * as z from 'zod';
import { fileOf } from '../../../../cdk/repository.ts';

export type PolicyDocument = {
  readonly Version?: string;
  readonly Statement: readonly Readonly<Record<string, unknown>>[];
};

export interface SimulatedRequest {
  /** ARN of a role, or the name of a service. */
  readonly principal: string;
  /** `s3:GetObject`. */
  readonly action: string;
  /** ARN, or `*` for actions that know no resource. */
  readonly resource: string;
  /** That the resource is in. */
  readonly account: string;
  readonly context: Readonly<Record<string, string | readonly string[]>>;
  /** Names of the policies of the principal. */
  readonly identity: readonly string[];
  /** Name of the policy of the resource, where it has one. */
  readonly byResource?: string | undefined;
  /** For an action of which AWS's list says that it knows no resource, although AWS asks for one: an action that does. */
  readonly standIn?: string | undefined;
}

const answerSchema = z.object({
  /** Invalid: no request that AWS knows, or not on such a resource. */
  result: z.enum(['Allowed', 'ImplicitlyDenied', 'ExplicitlyDenied', 'Invalid']),
  error: z.string().optional(),
  /** Keys of the context that the action does not know: a condition on one is never met. */
  ignoredKeys: z.array(z.string()).default([]),
  /** Statements that allow or deny, by their policy and their number from 1. */
  matched: z
    .array(
      z.object({
        policy: z.string(),
        statement: z.number(),
        actions: z.array(z.string()),
        resources: z.array(z.string()),
      }),
    )
    .default([]),
});

export type SimulatedAnswer = z.output<typeof answerSchema>;

export async function simulate(
  policies: Readonly<Record<string, PolicyDocument>>,
  requests: readonly SimulatedRequest[],
): Promise<SimulatedAnswer[]> {
  const folder = await install();
  const child = spawn(process.execPath, [join(import.meta.dirname, 'simulate.mjs'), folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(JSON.stringify({ policies, requests }));
  const [output, code] = await Promise.all([
    text(child.stdout),
    new Promise((resolve) => child.once('close', resolve)),
  ]);
  if (code !== 0) throw new Error(`simulate.mjs ended with ${code}: see its message above`);
  return z.array(answerSchema).length(requests.length).parse(JSON.parse(output));
}

/** Apart from our own dependencies, once for each state of its lockfile; several may do so at once. */
async function install(): Promise<string> {
  const files = ['package.json', 'package-lock.json'].map((name) => join(import.meta.dirname, name));
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(file));
  const cache = process.env.QUARTERDECK_CACHE ?? fileOf('.quarterdeck');
  const folder = join(cache, `iam-simulator-${hash.digest('hex').slice(0, 16)}`);
  if (existsSync(folder)) return folder;
  mkdirSync(dirname(folder), { recursive: true });
  const temporary = mkdtempSync(`${folder}-`);
  for (const file of files) copyFileSync(file, join(temporary, file.slice(import.meta.dirname.length)));
  await promisify(execFile)('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: temporary });
  try {
    renameSync(temporary, folder);
  } catch (error) {
    rmSync(temporary, { recursive: true });
    // Another process was first.
    if (!existsSync(folder)) throw error;
  }
  return folder;
}
