/** Owns the evaluation of one expression by either implementation of JSONata: npm's, as the engine uses it, and PyPI's. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { compileExpression } from '../../../apps/local/asl/expression.ts';
import { type Json, type JsonObject, toJson } from '../../../apps/local/asl/json.ts';
import { pythonTool } from '../python.ts';
import { launcher } from './second-engine.ts';

export interface Question {
  readonly expression: string;
  readonly bindings: JsonObject;
}

/** Errors are alike however they are worded; nothing and a function are both no value that a state may have. */
export type Verdict = { readonly value: Json } | 'nothing' | 'error';

export async function evaluateFirst({ expression, bindings }: Question): Promise<Verdict> {
  try {
    // Bindings of its own for each question, and one object for each: JSONata marks the arrays that it has seen.
    const world = { now: () => 0, random: () => 0.5 };
    const value = await compileExpression(expression, world)(structuredClone(bindings));
    const result = toJson(value);
    return value !== undefined && result.ok ? { value: result.value } : 'nothing';
  } catch {
    return 'error';
  }
}

/** Answers in order, all by one process. */
export async function evaluateSecond(questions: readonly Question[]): Promise<Verdict[]> {
  const child: ChildProcess = spawn(pythonTool('python'), [launcher, '--evaluate'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, QUARTERDECK_CONTROL: '' },
  });
  if (!child.stdin || !child.stdout) throw new Error('the evaluator has no pipes');
  child.stdin.end(questions.map((question) => `${JSON.stringify(question)}\n`).join(''));
  const verdicts: Verdict[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const answer = JSON.parse(line) as JsonObject;
    if ('error' in answer) verdicts.push('error');
    else verdicts.push('value' in answer ? { value: answer.value ?? null } : 'nothing');
  }
  return verdicts;
}
