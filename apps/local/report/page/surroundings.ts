/** What the run was made of, on the report page, and what it therefore proves. */
import type { Family } from '../../../../core/server.ts';
import { durationText } from '../durations.ts';
import { type Html, html } from '../html.ts';
import type { HostsUsed, ReportData } from '../report-data.ts';

export function surroundingsSection({ hosts, timings, jobs }: ReportData): Html {
  const families = [...new Set(jobs.map(({ server }) => server.family))];
  const times = Object.entries(timings).map(
    ([name, seconds]) => html`<li>${name} <span class="quiet">${durationText(seconds)}</span></li>`,
  );
  return html`<section>
<h2>What this ran on</h2>
<p><b>${hostsTitle(hosts)}</b>, because: ${hosts.reason}.</p>
<p>${madeOf(hosts, families)}</p>
<p>${proof(hosts)}</p>
${times.length > 0 && html`<ul class="times-real" aria-label="Real time on this machine">${times}</ul>`}
</section>`;
}

function hostsTitle({ kind, how }: HostsUsed): string {
  const kinds = { sandbox: 'Sandbox hosts', debian: 'Debian hosts', shim: 'Shim hosts' } as const;
  const ways = { booted: ', booted with systemd', rootless: ', rootless', shim: '' } as const;
  return kinds[kind] + ways[how];
}

function madeOf({ kind, how }: HostsUsed, families: readonly Family[]): string {
  const ways = {
    booted:
      'each booted with systemd in namespaces of its own; a reboot was a real one but for the kernel, which all share with this machine',
    rootless: 'each in user namespaces without systemd; a reboot was a new start with a new boot id',
    shim: '',
  } as const;
  switch (kind) {
    case 'sandbox':
      if (families.some((family) => family !== 'debian'))
        return `The servers were root file systems with Debian’s userland and the real ${wordsFor(families)}, ${ways[how]}; they were no images of the distributions that they passed for. The packages and their signed repositories were made for the demonstration.`;
      return `The servers were Debian root file systems with the real apt and dpkg, ${ways[how]}. The packages and their signed repository were made for the demonstration.`;
    case 'debian':
      return `The servers were Debian 12 systems, ${ways[how]}. What was pending were Debian’s own updates.`;
    case 'shim':
      return 'The servers were folders: the real scripts ran in them, against stand-ins for the package manager and systemd.';
  }
}

const managers: Readonly<Record<Family, string>> = {
  debian: 'apt',
  rhel: 'dnf',
  amazon: 'dnf',
  suse: 'zypper',
  arch: 'pacman',
};

function wordsFor(families: readonly Family[]): string {
  return [...new Set(families.map((family) => managers[family]))].join(', ');
}

function proof({ kind }: HostsUsed): string {
  const aws =
    'Step Functions, Run Command, DynamoDB, S3 and events were embedded stand-ins: nothing here was asked of AWS.';
  return kind === 'shim'
    ? `This proves the course of a campaign and the logic of the scripts; it proves nothing about real package managers. ${aws}`
    : `This proves that the state machine, the use-cases and the scripts do on real package managers what the report says; it proves nothing about other distributions or kernels. ${aws}`;
}
