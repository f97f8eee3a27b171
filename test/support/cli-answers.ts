/** Runs command lines against AWS that gives one answer to whatever is asked of it, and tells what was asked. */
import { parseCommandLine } from '../../apps/cli/arguments.ts';
import { runCommand } from '../../apps/cli/run-command.ts';
import type { World } from '../../apps/cli/world.ts';

export async function runAnswered(answer: unknown, argv: readonly string[], columns = 100) {
  const calls: [string, unknown][] = [];
  let out = '';
  const world = {
    user: 'ann',
    columns,
    colour: false,
    out: (text: string) => {
      out += text;
    },
    open: async () => ({
      call: async (name: string, input: unknown) => {
        calls.push([name, input]);
        return answer;
      },
      close: async () => undefined,
    }),
  } as unknown as World;
  const line = parseCommandLine([...argv, '--aws']);
  if (line.kind === 'help') throw new Error('asked for help');
  const code = await runCommand(line, world);
  return { code, out, calls };
}
