/** Owns the bench of the planner: 100,000 servers, planned in a process of its own so that its memory is its own. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { planQuarter } from '../../core/calendar/plan-quarter.ts';
import { defaultCalendar } from '../../core/calendar/planning-calendar.ts';
import type { ServerToPlan } from '../../core/calendar/server-to-plan.ts';
import { parseQuarter } from '../../core/quarter.ts';
import { type Bench, type BenchRow, millisOf } from './bench.ts';

const servers = 100_000;
const zones = [
  'America/New_York',
  'Europe/Berlin',
  'Asia/Tokyo',
  'Australia/Lord_Howe',
  'Europe/London',
  'UTC',
];
const environments = ['production', 'production', 'production', 'uat', 'development'];

/** Dates that people set, cron, HA pairs, dependencies and host groups, in about the shares that fleets have them. */
function fleet(): ServerToPlan[] {
  return Array.from({ length: servers }, (_, index) => {
    const day = `2027-0${2 + (index % 3)}-${String(1 + (index % 28)).padStart(2, '0')}`;
    return {
      name: `server-${index}`,
      environment: environments[index % environments.length] as string,
      zone: zones[index % zones.length] as string,
      active: true,
      hostGroup: `group-${index % 500}`,
      ...(index % 10 < 2 && { haGroup: `ha-${Math.floor(index / 10)}` }),
      ...(index % 20 === 3 && { dependsOn: [`server-${index - 1}`] }),
      ...(index % 4 === 0 && {
        explicit: { Q2: { date: day, time: `0${index % 4}:${index % 60 < 30 ? '00' : '30'}` } },
      }),
      ...(index % 50 === 7 && { cron: '0 1 * * sun' }),
    };
  });
}

/** @param within days of a security lane, in all environments; 0 for none */
async function measure(within: number): Promise<BenchRow[]> {
  const list = fleet();
  const freezes = [{ from: '2027-03-26', to: '2027-03-29', reason: 'Easter' }];
  const now = '2026-11-21T00:00:00.000Z';
  const policies = new Map(
    [...defaultCalendar.policies].map(([name, policy]) => [
      name,
      within > 0 ? { ...policy, securityWithinDays: within } : policy,
    ]),
  );
  const input = {
    ...defaultCalendar,
    policies,
    quarter: parseQuarter('2027-Q2'),
    servers: list,
    freezes,
    now,
  };
  let windows = 0;
  const before = process.cpuUsage();
  const millis = await millisOf(async () => {
    windows = planQuarter(input).windows.length;
  });
  const { user, system } = process.cpuUsage(before);
  const lane = within > 0 ? `, a security lane of ${within} days` : '';
  return [
    { what: `plan of a quarter, ${servers} servers${lane}`, value: millis, unit: 'ms' },
    // The bound is on this: what else runs on the machine is in the time above, and not in this. A lane has no bound of
    // its own: its time goes with its windows.
    {
      what: 'of the processor, all threads',
      value: (user + system) / 1000,
      unit: 'ms',
      ...(within === 0 && { atMost: 2000 }),
    },
    {
      what: 'most memory of the process',
      value: process.resourceUsage().maxRSS / 1024,
      unit: 'MB',
      atMost: 512,
    },
    { what: 'windows', value: windows, unit: '' },
  ];
}

const self = fileURLToPath(import.meta.url);

export const plansBench: Bench = {
  name: 'plans',
  async run() {
    const rows: BenchRow[] = [];
    for (const within of [0, 14]) {
      const argv = ['--import', 'tsx', self, String(within)];
      const { stdout } = await promisify(execFile)(process.execPath, argv);
      rows.push(...(JSON.parse(stdout) as BenchRow[]));
    }
    return rows;
  },
};

if (process.argv[1] === self) process.stdout.write(JSON.stringify(await measure(Number(process.argv[2]))));
