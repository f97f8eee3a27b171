/** Runs command lines against AWS that is a function, and tells what they said. */
import { parseCommandLine } from '../../apps/cli/arguments.ts';
import { runCommand } from '../../apps/cli/run-command.ts';
import type { World } from '../../apps/cli/world.ts';
import type { Backend } from '../../core/calls.ts';

/** @param call what the stack's functions answer */
export async function runAgainst(call: Backend['call'], argv: readonly string[], columns = 100) {
  let out = '';
  const world = {
    user: 'ann',
    columns,
    colour: false,
    out: (text: string) => {
      out += text;
    },
    note: () => undefined,
    open: async () => ({ call, close: async () => undefined }),
  } as unknown as World;
  const line = parseCommandLine([...argv, '--aws']);
  if (line.kind === 'help') throw new Error('asked for help');
  return { code: await runCommand(line, world), out };
}

/** The same answer to whatever is asked; tells also what was asked. */
export async function runAnswered(answer: unknown, argv: readonly string[], columns?: number) {
  const calls: [string, unknown][] = [];
  const call = async (name: string, input: unknown) => {
    calls.push([name, input]);
    return answer;
  };
  return { ...(await runAgainst(call, argv, columns)), calls };
}
