/** The command line of Quarterdeck: finds the command, runs it, and ends with an exit code that says how it went. */
import { existsSync, readFileSync } from 'node:fs';
import { systemDate } from '../local/system-clock.ts';
import { mayColour } from '../local/terminal-text.ts';
import { helpText, parseCommandLine, UsageError } from './arguments.ts';
import { runPlan } from './plan-command.ts';

// A reader that has seen enough, `quarterdeck plan | head`, is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

try {
  const line = parseCommandLine(process.argv.slice(2));
  if (line.kind === 'help') process.stdout.write(helpText);
  else {
    process.exitCode = runPlan(line.arguments, {
      readText: (path) => readFileSync(path, 'utf8'),
      exists: existsSync,
      now: systemDate().toISOString(),
      out: (text) => process.stdout.write(text),
      note: (text) => process.stderr.write(text),
      columns: process.stdout.columns ?? 100,
      colour: mayColour(process.stdout, process.env),
    });
  }
} catch (error) {
  process.exitCode = 1;
  const text = error instanceof UsageError ? error.message : (error as Error).stack;
  process.stderr.write(`${text}\n`);
}
