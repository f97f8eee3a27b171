/** Owns servers that are functions: they answer commands as the documents would, in virtual time, by the hundred thousand. */
import { gzipSync } from 'node:zlib';
import type { LocalClock } from '../../apps/local/clock.ts';
import type { Agent, AgentLink, AgentTask, CommandEnd } from '../../apps/local/run-command/agent.ts';
import { documentPrefix, timeZoneDocument } from '../../core/document.ts';
import type { Facts } from '../../core/outcome.ts';
import { type DocumentPhase, documentPhaseSchema, type Phase } from '../../core/phase.ts';
import { type PlanEntry, planHash, planLine, sha256Of } from '../../core/plan.ts';
import type { Objects } from '../../core/ports.ts';
import { backupPrefix, serverPrefix } from '../../core/result-object.ts';
import type { Server } from '../../core/server.ts';
import { type Summary, summarySchema } from '../../core/summary.ts';

/** How one server behaves in one phase; what is not said goes well. */
export interface Behaviour {
  /** Seconds until it answers. */
  readonly seconds?: number;
  readonly result?: Summary['result'];
  readonly facts?: Partial<Facts>;
  readonly reason?: { readonly code: string; readonly detail: string };
  readonly plan?: readonly PlanEntry[];
  /** It dies with the command: nothing is ever heard of it. */
  readonly dies?: boolean;
  /** It speaks of no backup. */
  readonly withoutBackup?: boolean;
  /** It writes no result object. */
  readonly withoutObject?: boolean;
  /** What it prints instead of a summary. */
  readonly prints?: string;
}

/** A restart that is a job of its own goes as a verification would. */
export type Behave = (server: Server, phase: Phase) => Behaviour | 'offline';

export interface SimulatedFleet extends Agent {
  /** How many commands of a phase each server took. */
  readonly taken: ReadonlyMap<string, number>;
  /** Times a server began its transaction; the job marker on the host makes more than one impossible. */
  readonly patched: ReadonlyMap<string, number>;
  /** Epoch milliseconds at which commands were taken. */
  readonly log: readonly { readonly server: string; readonly phase: DocumentPhase; readonly at: number }[];
}

const bootId = '00000000-0000-4000-8000-000000000001';
const nextBootId = '00000000-0000-4000-8000-000000000002';

export const samplePlan: readonly PlanEntry[] = [
  {
    action: 'upgrade',
    name: 'openssl',
    architecture: 'amd64',
    from: '3.0.1-1',
    to: '3.0.2-1',
    repository: 'Debian-Security:stable-security',
    security: true,
    size: 1_000_000,
    sha256: sha256Of('openssl 3.0.2-1'),
    rollback: 'kept',
    oldSize: 990_000,
    oldSha256: sha256Of('openssl 3.0.1-1'),
  },
];

const good: Record<DocumentPhase, { result: Summary['result']; facts: Facts }> = {
  prepare: {
    result: 'planned',
    facts: { installed: null, rebootPending: false, rebooted: null, healthy: null, compliant: null },
  },
  patch: {
    result: 'patched',
    facts: { installed: true, rebootPending: false, rebooted: false, healthy: true, compliant: null },
  },
  verify: {
    result: 'verified',
    facts: { installed: true, rebootPending: false, rebooted: null, healthy: true, compliant: true },
  },
  rollback: {
    result: 'rolled-back',
    facts: { installed: false, rebootPending: false, rebooted: false, healthy: true, compliant: null },
  },
  reboot: {
    result: 'rebooted',
    facts: { installed: null, rebootPending: false, rebooted: true, healthy: true, compliant: null },
  },
};

export function createSimulatedFleet(
  clock: LocalClock,
  objects: Objects,
  servers: readonly Server[],
  behave: Behave,
  hybridRoleId?: string,
): SimulatedFleet {
  const byId = new Map(servers.map((server) => [server.id, server]));
  const taken = new Map<string, number>();
  const patched = new Map<string, number>();
  const log: { server: string; phase: DocumentPhase; at: number }[] = [];
  const count = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1);

  const phaseOf = (task: AgentTask): DocumentPhase =>
    documentPhaseSchema.parse(task.documentName.slice(documentPrefix.length).split('-')[1]?.toLowerCase());

  const answer = async (
    task: AgentTask,
    server: Server,
    phase: DocumentPhase,
    behaviour: Behaviour,
  ): Promise<string> => {
    if (behaviour.prints !== undefined) return behaviour.prints;
    const campaign = String(task.parameters.CampaignId);
    const plan = behaviour.plan ?? samplePlan;
    const rehearses = phase === 'rollback' && task.parameters.DryRun === 'yes';
    const content = gzipSync(resultObject(plan, phase, rehearses));
    const key = `${serverPrefix(server, hybridRoleId)}/${campaign}/${phase}.gz`;
    if (!behaviour.withoutObject) await clock.busy(() => objects.put(key, content));
    const usual = rehearses ? 'possible' : good[phase].result;
    const result = behaviour.result ?? usual;
    const archive = {
      key: `${backupPrefix(server, hybridRoleId)}/${campaign}/configuration.tar.gz`,
      sha256: sha256Of(`${campaign} ${server.id}`),
      bytes: 4096,
      files: 12,
    };
    const summary: Summary = {
      schema: 1,
      phase,
      campaign,
      server: server.id,
      code: result === 'nothing-to-do' ? 2 : result === usual ? 0 : 1,
      result,
      reasons: behaviour.reason ? [behaviour.reason] : [],
      warnings: [],
      plan: {
        sha256: planHash(server.id, plan),
        entries: plan.length,
        security: plan.filter((entry) => entry.security).length,
        downloadBytes: plan.reduce((sum, entry) => sum + entry.size, 0),
      },
      facts: { ...good[phase].facts, ...behaviour.facts },
      found: summarySchema.shape.found.parse({ rollbackKept: plan.length }),
      backup:
        phase === 'patch' && task.parameters.Backup !== 'none' && !behaviour.withoutBackup ? archive : null,
      rungs: phase === 'rollback' ? [{ rung: 'packages', healthy: true }] : [],
      newer: 0,
      boot: { before: bootId, after: phase === 'reboot' ? nextBootId : bootId },
      object: behaviour.withoutObject ? null : { key, sha256: sha256Of(content), bytes: content.length },
      system: { id: 'debian', version: '12', kernel: '6.1.0-40-amd64' },
      seconds: { total: behaviour.seconds ?? 30 },
    };
    return JSON.stringify(summary);
  };

  /** It has the zone that is recorded. */
  const sayZone = async ({ zone }: Server, link: AgentLink): Promise<CommandEnd> => {
    const startedAt = clock.now();
    await new Promise<void>((resolve) => clock.at(startedAt + 1000, resolve));
    const output = JSON.stringify({ schema: 1, readings: [{ method: 'timedatectl', value: zone }] });
    const stdout = `${output}\n`;
    const times = { startedAt, endedAt: clock.now() };
    link.report({
      name: 'time-zone',
      status: 'Success',
      code: 0,
      stdout,
      stderr: '',
      output: stdout,
      ...times,
    });
    return 'Success';
  };

  return {
    taken,
    patched,
    log,
    online: (id) => {
      const server = byId.get(id);
      return server !== undefined && behave(server, 'prepare') !== 'offline';
    },
    async execute(task, link): Promise<CommandEnd> {
      const server = byId.get(task.instanceId) as Server;
      if (task.documentName === timeZoneDocument) return sayZone(server, link);
      const phase = phaseOf(task);
      const behaviour = behave(server, phase === 'reboot' ? 'verify' : phase);
      count(taken, `${server.id} ${phase}`);
      log.push({ server: server.name, phase, at: clock.now() });
      if (behaviour === 'offline' || behaviour.dies) return 'silent';
      const startedAt = clock.now();
      if (phase === 'patch') count(patched, server.id);
      await new Promise<void>((resolve) => clock.at(startedAt + (behaviour.seconds ?? 30) * 1000, resolve));
      const output = await answer(task, server, phase, behaviour);
      const isFine = /"code":[02],/.test(output);
      link.report({
        name: 'summary',
        status: isFine ? 'Success' : 'Failed',
        code: isFine ? 0 : 1,
        stdout: output,
        stderr: '',
        output,
        startedAt,
        endedAt: clock.now(),
      });
      return isFine ? 'Success' : 'Failed';
    },
  };
}

function resultObject(plan: readonly PlanEntry[], phase: DocumentPhase, rehearses: boolean): string {
  const sections = {
    plan: plan.map((entry) => `${planLine(entry)}\n`).join(''),
    after: plan
      .map(({ name, architecture, from, to }) => {
        const version = phase === 'rollback' ? from : to;
        return `${name}\t${architecture}\t${version ?? '-'}\n`;
      })
      .join(''),
    ...(rehearses && {
      steps: plan.map(({ name, from, to }) => `packages\tdowngrade\t${name}\t${to}\t${from}\n`).join(''),
    }),
    log: 'simulated\n',
  };
  const parts = Object.entries(sections).map(
    ([name, text]) => `section ${name} ${Buffer.byteLength(text)}\n${text}\n`,
  );
  return `quarterdeck-result 1\n${parts.join('')}`;
}
