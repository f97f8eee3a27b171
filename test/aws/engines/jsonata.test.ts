import { describe, expect, test } from 'vitest';
import { campaigns, definition } from './campaigns.ts';
import { corpus, disagreements, world } from './corpus.ts';
import { evaluateFirst, evaluateSecond, type Question, type Verdict } from './evaluators.ts';
import { expressionsIn, questionsAbout } from './expressions.ts';
import { runOnFirst } from './first-engine.ts';

interface Compared extends Question {
  readonly first: Verdict;
  readonly second: Verdict | undefined;
}

async function differing(questions: readonly Question[]): Promise<Compared[]> {
  const verdicts = await evaluateSecond(questions);
  expect(verdicts).toHaveLength(questions.length);
  const found: Compared[] = [];
  for (const [index, question] of questions.entries()) {
    const [first, second] = [await evaluateFirst(question), verdicts[index]];
    // As text, so that the order of members counts: `$keys`, `$each` and `$string` show it.
    if (JSON.stringify(first) !== JSON.stringify(second)) found.push({ ...question, first, second });
  }
  return found;
}

describe('two implementations of JSONata', () => {
  test('agree on every expression of the campaign, with what campaigns bring and with what they might', async () => {
    const seen = await Promise.all(Object.values(campaigns).map(runOnFirst));
    const questions = questionsAbout(definition, seen);
    const asked = new Set(questions.map(({ expression }) => expression));
    const written = [...expressionsIn(definition).values()].flatMap((own) => [...own]);
    expect(written.filter((expression) => !asked.has(expression))).toEqual([]);
    expect(questions.length).toBeGreaterThan(2_000);
    expect(await differing(questions)).toEqual([]);
  });

  test('agree on the corpus', async () => {
    expect(await differing(corpus.map((expression) => ({ expression, bindings: world })))).toEqual([]);
  });

  test('differ where it is known, and only there', async () => {
    const questions = Object.keys(disagreements).map((expression) => ({ expression, bindings: world }));
    const found = (await differing(questions)).map(({ expression, first, second }) => ({
      expression,
      first,
      second,
    }));
    const known = Object.entries(disagreements).map(([expression, { first, second }]) => ({
      expression,
      first,
      second,
    }));
    expect(found).toEqual(known);
  });
});
