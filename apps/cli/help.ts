/** Owns the help of the command line: a page for all of it, and one for each command. */
import { jobOverview, jobPages } from './job-help.ts';

const stored = `
  --aws              What the stack on AWS has stored, with your own credentials; the stack is
                     that of the configuration.
  --state FOLDER     What is stored on this machine. Default: .quarterdeck/state.
  --config FILE      Default: quarterdeck.yaml, and without it policies for production, uat,
                     development.
  --now INSTANT      As if it were 2026-11-21T12:00:00Z; on this machine only.
  --json             Print JSON.
`;
const changing = `  --by NAME          Who is remembered for it. Default: whoever is logged in.
`;
const filters = `  --environment, --owner, --group, --name
                     Only those that fit; --name is a part of it.
  --all              Show the list to its end.
`;

const pages: Readonly<Record<string, string>> = {
  plan: `Says when each server is patched, and why then. Nothing is changed anywhere.

Usage: quarterdeck plan [--servers FILE] [options]

  --servers FILE     Plan a list of servers (CSV) instead of what is stored: Server Name,
                     Environment, Server Timezone, and what else there is to say.
  --quarter QUARTER  2027-Q1, current, next or previous. Default: current.
  --reasons          List every window with its reason.
  --skip-bad-rows    Plan the servers whose rows are right; the others are listed.
${stored}
Exit: 0 every server has its windows, 4 there are conflicts, 1 something can not be read.
`,
  'servers import': `Takes a list of servers into the inventory: all of it, or nothing.

Usage: quarterdeck servers import FILE [options]

Columns that the list has are taken, an empty cell clears what a person set, and what a sync
wrote stays. Servers that the list does not have stay as they are.

  --dry-run          Say what would be done.
  --replace          The list is all there is: take the other servers out.
  --skip-bad-rows    Leave out rows that are wrong; they are listed.
  --force            Move servers although campaigns have been prepared for them.
${changing}${stored}
Exit: 0 done, 1 nothing was changed, and why.
`,
  'servers export': `Writes the inventory as a list that an import reads back exactly.

Usage: quarterdeck servers export [FILE] [options]
${stored}`,
  'servers list': `Lists the servers of the inventory.

Usage: quarterdeck servers list [options]

${filters}${stored}`,
  'servers sync': `Brings the inventory up to what EC2 and SSM say. What a person set stays, and is told.

Usage: quarterdeck servers sync --aws [options]

  --found FILE       Write a list of servers that the inventory does not know, to complete and
                     import.
${stored}`,
  'schedule set': `Gives a server its one schedule.

Usage: quarterdeck schedule set SERVER (--cron EXPRESSION | --date DAY | --policy) [options]

  --cron EXPRESSION  Five fields on the server's own clock: minute, hour, day of month, month,
                     weekday. When day of month and weekday are both given, cron runs on the
                     days of EITHER: 0 2 13 * fri is each 13th and each Friday.
  --date DAY         2027-01-09: the date of its quarter; dates of other quarters stay.
  --time TIME        Of the date, 02:00. Default: the first hour of the policy.
  --approved         The date was approved, though the policy does not allow it.
  --policy           What the policy says, whatever the server list says.
  --change           Replace the schedule that the server has.
  --force            Do so although campaigns have been prepared by the old one: what has been
                     started goes on, and what has not leaves the server out.
${changing}${stored}
Exit: 0 done, 4 done and there are conflicts, 1 nothing was changed, and why.
`,
  'schedule remove': `Takes the schedule of a server away: the policy decides again.

Usage: quarterdeck schedule remove SERVER [options]

  --force            Although campaigns have been prepared by it.
${changing}${stored}
Exit: 0 done, 4 done and there are conflicts, 1 nothing was changed, and why.
`,
  'schedule show': `Shows the schedule of a server: the rule, the next runs and windows, and the last.

Usage: quarterdeck schedule show SERVER [options]
${stored}
Exit: 0, 4 when there are conflicts, 1 when there is no such server.
`,
  'schedule list': `Lists servers with their rules, next and last windows; without --all only those whose rule is
not the policy's default.

Usage: quarterdeck schedule list [options]

${filters}${stored}`,
  feed: `Writes a calendar (ICS) to subscribe to: the fleet's, an owner's, or a host group's.

Usage: quarterdeck feed [--owner NAME | --group NAME] [options]

  --out FILE         Default: standard output.
${stored}`,
  pause: `Pauses everything on AWS: nothing is started or sent any more. What was patched is verified,
or taken back where it is not well, and what runs on servers ends by itself.

Usage: quarterdeck pause --aws --reason TEXT [options]

  --reason TEXT      What others read who wonder why nothing happens.
${changing}${stored}
Exit: 0 done, 1 not done, and why.
`,
  resume: `Ends the pause, and starts what was due meanwhile while its window is ahead.

Usage: quarterdeck resume --aws --reason TEXT [options]

  --reason TEXT      What is remembered of it.
${changing}${stored}
Exit: 0 done, 1 not done, and why.
`,
  ...jobPages,
};

const overview = `Quarterdeck: when each server is patched, and why then.

Usage: quarterdeck COMMAND [options]

  plan               Show the plan of a quarter, of a list of servers or of what is stored.
  servers import     Take a list of servers into the inventory.
  servers export     Write the inventory as a list.
  servers list       List the servers of the inventory.
  servers sync       Bring the inventory up to what AWS says.
  schedule set       Give a server its schedule.
  schedule remove    Take it away.
  schedule show      Show it, with the next runs and the last.
  schedule list      List the schedules of servers.
  feed               Write a calendar to subscribe to.
  pause              Pause everything on AWS.
  resume             End the pause.
${jobOverview}
quarterdeck COMMAND --help shows the options of each.

What is stored is kept in .quarterdeck/state on this machine, or on AWS with --aws.
`;

/** @param command as it was written; undefined for all */
export function helpText(command: string | undefined): string {
  if (command === undefined) return overview;
  const page = pages[command];
  if (page !== undefined) return page;
  const within = Object.entries(pages).filter(([name]) => name.startsWith(`${command} `));
  return within.length > 0 ? within.map(([, text]) => text).join('\n') : overview;
}
