/** Owns the holding of recorded exchanges to botocore's models of the services. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import * as z from 'zod';

/** A call over one of AWS's JSON protocols. Bodies are parsed, and otherwise as they went over the wire. */
export interface Exchange {
  /** As botocore names it: `ssm`, `dynamodb`, `stepfunctions`. */
  readonly service: string;
  readonly operation: string;
  readonly request: unknown;
  /** Null when nobody heard the answer. */
  readonly status: number | null;
  readonly response: unknown;
}

export interface Verdict {
  readonly exchanges: number;
  /** By exchange: its number from 1, its operation, and what is wrong. */
  readonly problems: readonly string[];
  /** Patterns of the models that Python can not read, so that nothing was held to them. */
  readonly unchecked: readonly string[];
}

const lineSchema = z.union([
  z.object({ line: z.number(), operation: z.string(), problems: z.array(z.string()) }),
  z.object({ exchanges: z.number(), unchecked: z.array(z.string()) }),
]);

/** @param python of the environment that has botocore */
export async function validateExchanges(python: string, exchanges: readonly Exchange[]): Promise<Verdict> {
  const child = spawn(python, [join(import.meta.dirname, 'validate.py')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const output = text(child.stdout);
  child.stdin.end(exchanges.map((exchange) => `${JSON.stringify(exchange)}\n`).join(''));
  const [[code]] = await Promise.all([once(child, 'close'), output]);
  if (code !== 0) throw new Error(`validate.py ended with ${code}: see its message above`);
  const lines = (await output).trim().split('\n');
  const parsed = lines.map((line) => lineSchema.parse(JSON.parse(line)));
  const last = parsed.find((line) => 'exchanges' in line);
  if (last === undefined) throw new Error('validate.py said nothing of how many exchanges it saw');
  return {
    ...last,
    problems: parsed.flatMap((line) =>
      'line' in line ? line.problems.map((problem) => `${line.line} ${line.operation} ${problem}`) : [],
    ),
  };
}
