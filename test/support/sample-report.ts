/** A whole report for tests of what people see: eight servers, most of them well, and one of each common trouble. */

import type { PhaseLog, ReportData } from '../../apps/local/report/report-data.ts';
import { plusSeconds } from '../../core/instant.ts';
import type { JobState, PhaseResult } from '../../core/job.ts';
import { listCost } from '../../core/list-price.ts';
import { type Facts, type Reason, unknownFacts } from '../../core/outcome.ts';
import { sha256Of } from '../../core/plan.ts';
import { type PackageChange, type ReportJob, reportJobSchema, reportSchema } from '../../core/report.ts';
import { serverPrefix } from '../../core/result-object.ts';
import { allGood, approvedCampaign, campaignId, policyOf, serverOf, window } from './samples.ts';

const prepared = '2026-11-21T20:00:42.000Z';
const root = sha256Of('root of the sample');

const updates: readonly PackageChange[] = [
  change('libharbor2', '2.4.1-3', '2.4.1-3+deb13u1', true),
  change('harbor-kernel', '6.12.27-1', '6.12.30-1', true),
  change('anchor-tools', '1:5.2-2', '1:5.2-2+deb13u1', true, 'all'),
  change('harbor-httpd', '2.4.57-1', '2.4.57-2', false),
  change('harbor-common', '1.8-1', '1.9-1', false, 'all'),
  change('lighthouse-agent', '3.1.0-1', '3.2.0-1', false, 'all'),
  change('libbuoy-data', null, '0.9.5-1', false, 'all'),
  change('tide-tables', '2026a-0+deb13u1', '2026b-0+deb13u1', false, 'all'),
];

function change(
  name: string,
  from: string | null,
  to: string,
  security: boolean,
  architecture = 'amd64',
): PackageChange {
  return { name, architecture, from, to, planned: to, security };
}

interface Story {
  readonly name: string;
  readonly wave: number | null;
  readonly states: readonly JobState[];
  readonly facts?: Partial<Facts>;
  readonly reasons?: readonly Reason[];
  readonly packages?: readonly PackageChange[];
  readonly phases: readonly ('prepare' | 'patch' | 'verify')[];
  readonly warnings?: readonly Reason[];
  readonly newer?: number;
}

const wholeWay = ['planned', 'preparing', 'ready', 'patching', 'verifying', 'succeeded'] as const;
const every = ['prepare', 'patch', 'verify'] as const;

const stories: readonly Story[] = [
  { name: 'web-1', wave: 0, states: wholeWay, phases: every, packages: updates },
  {
    name: 'web-2',
    wave: 1,
    states: wholeWay,
    phases: every,
    packages: updates,
    newer: 1,
    warnings: [
      {
        code: 'other-patcher',
        detail: 'unattended-upgrades is active and may install updates outside of campaigns',
      },
    ],
  },
  {
    name: 'shop-db-primary.eu-central-1.internal',
    wave: 1,
    states: wholeWay,
    phases: every,
    packages: updates.slice(0, 5),
    facts: { rebooted: false },
  },
  {
    name: 'mail-1',
    wave: 1,
    states: ['planned', 'preparing', 'ready', 'patching', 'failed'],
    phases: ['prepare', 'patch'],
    facts: { installed: false, rebootPending: true, rebooted: false, healthy: false, compliant: null },
    reasons: [
      {
        code: 'package-not-configured',
        detail:
          'the postinst of harbor-httpd ended with 1: job for harbor-httpd.service failed because the control process exited with error code',
      },
      { code: 'unit-failed', detail: 'harbor-httpd.service failed and had not failed before' },
    ],
    packages: updates.map((update) =>
      update.name === 'harbor-httpd'
        ? { ...update, to: update.from }
        : update.name === 'tide-tables'
          ? { ...update, to: '2026c-0+deb13u1' }
          : update,
    ),
    warnings: [{ code: 'failed-unit', detail: 'logrotate.service had failed before the campaign' }],
  },
  {
    name: 'build-3',
    wave: 1,
    states: ['planned', 'preparing', 'ready', 'patching', 'drifted'],
    phases: ['prepare', 'patch'],
    facts: { rebootPending: false, healthy: true },
    reasons: [
      {
        code: 'outside-plan',
        detail: 'the transaction would remove fog-signal, which the sealed plan does not name',
      },
    ],
    packages: updates.map((update) => ({ ...update, to: update.from })),
  },
  {
    name: 'cache-1',
    wave: null,
    states: ['planned', 'preparing', 'nothing-to-do'],
    phases: ['prepare'],
    facts: { rebootPending: false },
  },
  {
    name: 'edge-7',
    wave: null,
    states: ['planned', 'preparing', 'unreachable'],
    phases: [],
    reasons: [
      {
        code: 'delivery-timed-out',
        detail: 'the agent did not take the command in time; if it ran, nothing was heard of it',
      },
    ],
  },
  {
    name: 'ledger-1',
    wave: null,
    states: ['held'],
    phases: [],
    reasons: [{ code: 'held', detail: 'held until 2026-12-01 by carol: year-end closing' }],
  },
];

const times: Record<string, number> = { prepare: 9, patch: 41, verify: 3 };

function jobOf(story: Story, index: number): ReportJob {
  const server = serverOf(index + 1, { name: story.name });
  const begin = plusSeconds(window.start, story.wave === 1 ? 1000 : 12);
  const at: Partial<Record<JobState, string>> = {
    planned: '2026-11-21T20:00:01.000Z',
    preparing: '2026-11-21T20:00:04.000Z',
    ready: prepared,
    'nothing-to-do': prepared,
    unreachable: '2026-11-21T20:05:04.000Z',
    held: '2026-11-21T20:00:01.000Z',
    patching: begin,
    drifted: plusSeconds(begin, 6),
    failed: plusSeconds(begin, 38),
    verifying: plusSeconds(begin, 44 + index),
    succeeded: plusSeconds(begin, 44 + 900 + 5),
  };
  const result = { prepare: 'planned', patch: 'patched', verify: 'verified' } as const;
  const phase = (name: 'prepare' | 'patch' | 'verify'): PhaseResult => ({
    at: plusSeconds(
      name === 'prepare' ? prepared : begin,
      (times[name] ?? 0) + (name === 'verify' ? 942 : 0),
    ),
    status: 'Success',
    result: story.states.includes('failed') && name === 'patch' ? 'failed' : result[name],
    warnings: name === 'prepare' ? [...(story.warnings ?? [])] : [],
    newer: name === 'verify' ? (story.newer ?? 0) : 0,
    found: {},
    backup: null,
    rungs: [],
    object: {
      key: `${serverPrefix(server)}/${campaignId}/${name}.gz`,
      sha256: sha256Of(`${story.name} ${name}`),
      bytes: 2048,
    },
    unproven: null,
    boot:
      name === 'patch'
        ? {
            before: '6f1d3c0e-9a51-4f0e-8f0b-2f6a0e2f9a10',
            after:
              story.facts?.rebooted === false
                ? '6f1d3c0e-9a51-4f0e-8f0b-2f6a0e2f9a10'
                : 'b7a1c2d3-0f5e-4d4c-9c3b-1a2b3c4d5e6f',
          }
        : null,
    system: { id: 'debian', version: '13', kernel: '6.12.27+deb13-amd64' },
    seconds:
      name === 'prepare'
        ? { order: 0.31, check: 1.22, metadata: 2.5, preview: 1.87, download: 2.4, total: 9.12 }
        : name === 'patch'
          ? {
              order: 0.28,
              lock: 0.02,
              simulate: 0.94,
              transaction: 12.8,
              reboot: 21.1,
              boot: 2.3,
              total: 40.7,
            }
          : { refresh: 1.4, check: 0.8, total: 2.96 },
  });
  const packages = [...(story.packages ?? [])];
  return reportJobSchema.parse({
    schema: 1,
    server,
    state: story.states.at(-1),
    reasons: story.reasons ?? [],
    history: story.states.map((state) => ({ state, at: at[state] })),
    wave: story.wave,
    facts: { ...(story.states.at(-1) === 'succeeded' ? allGood : unknownFacts), ...story.facts },
    plan:
      packages.length === 0
        ? null
        : {
            sha256: sha256Of(`plan of ${story.name}`),
            entries: packages.length,
            security: packages.filter(({ security }) => security).length,
            downloadBytes: 1_843_200,
            objectKey: `${serverPrefix(server)}/${campaignId}/prepare.gz`,
          },
    dispatched: story.wave === null ? null : { at: begin, online: true },
    phases: Object.fromEntries(story.phases.map((name) => [name, phase(name)])),
    packages,
  });
}

const patchLog = `[4211.02] order 3f9c fetched and checked
[4211.94] simulated: 8 to install, nothing outside the plan
[4212.10] transaction starts as quarterdeck-${campaignId}.service
Preparing to unpack .../harbor-kernel_6.12.30-1_amd64.deb ...
Unpacking harbor-kernel (6.12.30-1) over (6.12.27-1) ...
Setting up harbor-kernel (6.12.30-1) ...
[4224.90] versions compared: 8 of 8 as planned
[4225.01] reboot needed: harbor-kernel
`;

function logsOf(job: ReportJob): PhaseLog[] {
  const phases = Object.keys(job.phases) as PhaseLog['phase'][];
  return phases.map((phase) => ({
    phase,
    text: phase === 'patch' ? patchLog : `[4100.00] ${phase} begins\n[4109.12] ${phase} is done\n`,
  }));
}

/** @param only names of the stories to tell; all of them by default */
export function sampleReport(only?: readonly string[]): ReportData {
  const jobs = stories.map(jobOf).filter(({ server }) => !only || only.includes(server.name));
  const {
    serversKey: _key,
    approval: _approval,
    ...campaign
  } = approvedCampaign({
    state: 'completed',
    serverCount: jobs.length,
    policy: policyOf({ errorBudget: { failures: 2, share: 0.25 } }),
    createdAt: '2026-11-21T20:00:00.000Z',
    endedAt: '2026-11-21T22:33:02.000Z',
    seal: {
      root,
      at: '2026-11-21T20:05:11.000Z',
      ready: 5,
      waves: [
        { servers: 1, batches: 1, key: 'wave-0.json' },
        { servers: 4, batches: 1, key: 'wave-1.json' },
      ],
    },
  });
  const units = {
    'state-transitions': 38,
    'lambda-requests': 31,
    'lambda-gb-seconds': 1.42,
    'dynamodb-write-units': 214,
    'dynamodb-read-units': 188,
    's3-puts': 49,
    's3-gets': 61,
    'eventbridge-events': 21,
    'sqs-requests': 39,
    'sns-publishes': 3,
  };
  return {
    report: reportSchema.parse({
      schema: 1,
      campaign,
      approval: {
        root,
        approved: true,
        by: 'bob',
        at: '2026-11-21T20:41:30.000Z',
        reason: 'checked the kernel update with the web team',
      },
      state: 'completed',
      reason: null,
      closedAt: '2026-11-21T22:33:02.000Z',
      counts: Object.fromEntries(
        [...new Set(jobs.map(({ state }) => state))].map((state) => [
          state,
          jobs.filter((job) => job.state === state).length,
        ]),
      ),
      parts: ['campaigns/spring-2027-web/report/p-0001.json'],
    }),
    jobs,
    logs: new Map(jobs.map((job) => [job.server.id, logsOf(job)])),
    cost: {
      calls: { 'ssm:SendCommand': 4, 's3:PutObject': 49, 'dynamodb:UpdateItem': 112 },
      units,
      cost: listCost(units),
    },
    findings: new Map(),
    backups: { stored: [] },
    hosts: {
      kind: 'sandbox',
      how: 'booted',
      reason: 'root, and systemd boots in a control group of its own',
    },
    timings: { hosts: 3.4, campaign: 52.8, total: 57.1 },
  };
}
