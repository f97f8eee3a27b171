/** Owns the help of what is asked for of servers and campaigns on AWS. */

const onAws = `
  --aws              The stack on AWS that the configuration names, with your own credentials.
                     It is needed: this machine has nothing of it.
  --config FILE      Default: quarterdeck.yaml.
  --json             Print JSON.
`;
const by = `  --by NAME          Who is remembered for it. Default: whoever is logged in.
`;
const decidedBy = `  --by NAME          Who decides, in the form in which people ask: nobody approves what they
                     asked for. An approval needs it.
`;

export const jobPages: Readonly<Record<string, string>> = {
  'reboot request': `Asks for a restart of one server, as a job of its own, in a window.

Usage: quarterdeck reboot request SERVER --aws --reason TEXT [options]

SERVER is an id or a name. One reboot waits or runs per server.

  --reason TEXT      Why, for those who see it restart.
  --always           Also when the server has no need. Default: only if it needs to.
  --start INSTANT    When it may begin: 2027-01-09T02:00:00Z, or with an offset. Default: the
                     next window of the policy, or now where --minutes is given.
  --minutes N        How long the window is, 15 to 1440. Default: as long as the policy's.
${by}${onAws}
Exit: 0 it waits for its window, 1 nothing was asked for, and why.
`,
  'reboot show': `Shows the last reboot that was asked for of a server, what was seen of it and what is only
inferred, and those before it.

Usage: quarterdeck reboot show SERVER-ID --aws [options]
${onAws}
Exit: 0, 4 when it failed, timed out or missed its window, 1 when nobody asked for one.
`,
  'reboot cancel': `Takes a reboot back that waits. What was sent runs to its end.

Usage: quarterdeck reboot cancel SERVER-ID --aws --reason TEXT [options]

  --reason TEXT      Why, for whoever asked for it.
${by}${onAws}
Exit: 0 done, 1 none waits, or it is under way.
`,
  'backups list': `Lists backups, with what reading them showed when that was done last.

Usage: quarterdeck backups list (--campaign ID | --server ID) --aws [options]

  --campaign ID      Those that the campaign made, and which servers have none.
  --server ID        All of a server: i-… or mi-….
${onAws}
Exit: 0, 4 when one is bad or has no copy, 1 when there is no such campaign.
`,
  'backups verify': `Reads backups to their end, and compares them with what their servers said.

Usage: quarterdeck backups verify (--campaign ID | --server ID) --aws [options]

  --campaign ID      Those that the campaign made.
  --server ID        All of a server: i-… or mi-….
${onAws}
Exit: 0 all are good, 4 one is bad or has no copy, 1 they could not be read.
`,
  'backups test': `Restores some backups into a scratch place, and compares what comes back with what the
servers listed. It takes minutes. Nothing on a server is touched.

Usage: quarterdeck backups test --aws [options]

  --count N          How many, 1 to 100. Default: 5.
${onAws}
Exit: 0 all came back as they were, 4 one did not, or there was none to restore.
`,
  'root-volume request': `Asks for the root volume of a server as it was before a campaign patched it. Nothing is done
until another person approves; everything written to it since then would be gone from it.

Usage: quarterdeck root-volume request SERVER-ID --campaign ID --aws --reason TEXT [options]

  --campaign ID      The campaign, whose snapshot is taken.
  --reason TEXT      Why, for the person who decides.
${by}${onAws}
Exit: 0 it waits for a decision, for a day, 1 nothing was asked for, and why.
`,
  'root-volume decide': `Decides on the root volume that another person asked for. The server restarts at once.

Usage: quarterdeck root-volume decide SERVER-ID --campaign ID --snapshot ID (--approve | --deny)
       --aws [options]

  --campaign ID      The campaign that the notice names.
  --snapshot ID      The snapshot that the notice names: the one that you approve.
  --approve, --deny  Who asked may deny, and not approve.
  --reason TEXT      Why; a denial needs it.
${decidedBy}${onAws}
Exit: 0 done, 4 approved and EC2 refused, 1 nothing was decided, and why.
`,
  'rollback request': `Brings servers back to what they were before a campaign that has ended. A dry run asks them
what they would do, and changes nothing.

Usage: quarterdeck rollback request CAMPAIGN-ID --aws --reason TEXT [options]

  --servers A,B      Ids or names. Default: all that the campaign patched and that can go back.
  --to RUNG          How far a server climbs that is not well: packages, configuration or
                     kernel. Default: packages. What comes after packages is only done to one
                     that is not well.
  --dry-run          Only ask.
  --reason TEXT      Why, for those who read the report.
${by}${onAws}
Exit: 0 servers were asked, 1 nothing was done, and why.
`,
  'rollback show': `Shows the last rollback by hand of a campaign, server by server, and those before it.

Usage: quarterdeck rollback show CAMPAIGN-ID --aws [options]
${onAws}
Exit: 0, 4 when it is over and a server did not go back or could not, 1 when nobody asked for one.
`,
  'zones ask': `Asks servers of the inventory for the time zones that they have. Nothing is changed, on servers or in
the inventory.

Usage: quarterdeck zones ask --aws [options]

  --servers A,B      Names or ids. Default: all that are active.
${by}${onAws}
Exit: 0 servers were asked, 1 none was, and why.
`,
  'zones show': `Shows what servers said when they were asked last, beside the zones that are recorded: what
differs first. An offset like +01:00 is no zone, and at most possible.

Usage: quarterdeck zones show --aws [options]

  --all              Show the list to its end.
${onAws}
Exit: 0, 4 when a server says otherwise than what is recorded, or contradicts itself, 1 when nobody
asked.
`,
  'campaign stop': `Stops a campaign: no patch of it is sent any more. What was patched is verified, or taken
back where it is not well, and what runs on servers ends by itself.

Usage: quarterdeck campaign stop ID --aws --reason TEXT [options]

  --reason TEXT      Why, for those who wait for it.
${by}${onAws}
Exit: 0 done, also where it had ended, 1 not done, and why.
`,
  'campaign approve': `Approves the sealed plans of a campaign. Who asked for the campaign can not.

Usage: quarterdeck campaign approve ID --root HASH --by NAME --aws [options]

  --root HASH        Of the plans that you have looked at, as the notice has it.
  --reason TEXT      What is remembered of it.
${decidedBy}${onAws}
Exit: 0 done, 1 not approved, and why.
`,
  'campaign deny': `Denies the sealed plans of a campaign: it ends, and no server is patched.

Usage: quarterdeck campaign deny ID --root HASH --aws --reason TEXT [options]

  --root HASH        Of the plans, as the notice has it.
  --reason TEXT      Why, for those who wait for it.
${by}${onAws}
Exit: 0 done, 1 not denied, and why.
`,
};

/** Lines of the overview. */
export const jobOverview = `  reboot request     Ask for a restart of a server on AWS.
  reboot show        Show what became of it.
  reboot cancel      Take it back.
  backups list       List the backups of a campaign or a server on AWS.
  backups verify     Read them to their end.
  backups test       Restore some, and compare.
  root-volume        Ask for a root volume as it was before a campaign (request), and approve that
                     or deny it (decide).
  rollback request   Bring servers back after a campaign on AWS, or ask whether they could.
  rollback show      Show what became of it.
  zones ask          Ask servers on AWS for the time zones that they have.
  zones show         Show what they say beside what is recorded.
  campaign stop      Stop a campaign on AWS.
  campaign approve   Approve its sealed plans.
  campaign deny      Deny them.
`;
