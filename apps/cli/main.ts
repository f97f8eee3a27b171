/** The command line of Quarterdeck: finds the command, runs it, and ends with an exit code that says how it went. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { Refused } from '../../core/calls.ts';
import { csvTextOf } from '../../core/inventory/csv-text.ts';
import { visibleLines } from '../local/report/visible-text.ts';
import { systemDate } from '../local/system-clock.ts';
import { columnsOf, mayColour } from '../local/terminal-text.ts';
import { parseCommandLine, UsageError } from './arguments.ts';
import { flowedHelp, narrowed } from './flow-text.ts';
import { helpText } from './help.ts';
import { openBackend } from './open-backend.ts';
import { runCommand } from './run-command.ts';
import { exitCodes, type World } from './world.ts';

// A reader that has seen enough, `quarterdeck plan | head`, is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

const world: World = {
  readText: (path) => readFileSync(path, 'utf8'),
  readList: (path) => csvTextOf(readFileSync(path)),
  writeText,
  exists: existsSync,
  now: systemDate().toISOString(),
  user: userInfo().username,
  out: (text) => process.stdout.write(text),
  note: tell,
  columns: columnsOf(process.stdout),
  colour: mayColour(process.stdout, process.env),
  open: (asked) => openBackend(asked, world),
};

try {
  const line = parseCommandLine(process.argv.slice(2));
  if (line.kind === 'help') process.stdout.write(flowedHelp(helpText(line.command), world.columns));
  else process.exitCode = await runCommand(line, world);
} catch (error) {
  process.exitCode = exitCodes.refused;
  const isExpected = error instanceof UsageError || error instanceof Refused;
  const text = isExpected ? error.message : error instanceof Error ? error.stack : String(error);
  tell(`${visibleLines(text ?? '')}\n`);
}

/** @throws Refused when there is no such folder, or no right on it */
function writeText(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new Refused(
      'unwritable',
      `${JSON.stringify(path)} can not be written: ${(error as Error).message}`,
    );
  }
}

/** On a terminal no word is cut in two. */
function tell(text: string): void {
  process.stderr.write(process.stderr.isTTY ? narrowed(text, columnsOf(process.stderr)) : text);
}
