/** Owns the world of a command in tests: files in memory, what was written, and a state of its own. */

import { parseCommandLine } from '../../apps/cli/arguments.ts';
import type { CommonArguments } from '../../apps/cli/asked.ts';
import { readConfiguration } from '../../apps/cli/configuration-file.ts';
import { createLocalBackend } from '../../apps/cli/local-backend.ts';
import { runCommand } from '../../apps/cli/run-command.ts';
import type { World } from '../../apps/cli/world.ts';
import { Refused } from '../../core/calls.ts';
import { memoryStores } from './stored-fleet.ts';

interface CliRun {
  readonly code: number;
  readonly out: string;
  readonly note: string;
}

export interface CliWorld {
  readonly files: Record<string, string>;
  run(...argv: readonly string[]): Promise<CliRun>;
}

/** @param files by path; what commands write is put there, too */
export function createCliWorld(
  files: Record<string, string> = {},
  { now = '2026-11-21T12:00:00.000Z', columns = 100, state = memoryStores() } = {},
): CliWorld {
  const read = (path: string) => {
    const text = files[path];
    if (text === undefined) throw new Error('no such file');
    return text;
  };
  return {
    files,
    async run(...argv) {
      const written = { out: '', note: '' };
      const world: World = {
        readText: read,
        readList: read,
        writeText: (path, text) => {
          files[path] = text;
        },
        exists: (path) => path in files,
        now,
        user: 'tester',
        out: (text) => {
          written.out += text;
        },
        note: (text) => {
          written.note += text;
        },
        columns,
        colour: false,
        async open({ config, now: asked }: CommonArguments) {
          const settings = readConfiguration(config, world, false);
          if ('problems' in settings) throw new Refused('configuration', settings.problems.join('\n'));
          return createLocalBackend(
            { ...state, close: async () => undefined },
            settings.calendar,
            asked ?? now,
          );
        },
      };
      const line = parseCommandLine(argv);
      if (line.kind === 'help') throw new Error('help is no command');
      const code = await runCommand(line, world).catch((error: unknown) => {
        if (!(error instanceof Refused)) throw error;
        written.note += `${error.message}\n`;
        return 1;
      });
      return { code, ...written };
    },
  };
}
