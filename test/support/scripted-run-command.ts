/** Owns a Run Command whose servers do as a test says, and that keeps count of what reached them. */
import type { Instant } from '../../core/instant.ts';
import { type Phase, phaseSchema } from '../../core/phase.ts';
import type { Objects } from '../../core/ports.ts';
import {
  type CommandRequest,
  type Commands,
  type Fleet,
  type Invocation,
  PortError,
  type Presence,
} from '../../core/ports.ts';
import type { Server } from '../../core/server.ts';
import type { Summary } from '../../core/summary.ts';
import { pinOf, resultObjectOf, summaryOf } from './samples.ts';

/** How a server answers one phase; what is not said goes well. */
export interface Answer {
  readonly status?: Invocation['status'];
  readonly says?: Partial<Summary>;
  /** Instead of a summary. */
  readonly prints?: string;
  /** Instead of the object that the summary speaks of; null for none. */
  readonly object?: Uint8Array | null;
}

export interface Host {
  readonly presence?: Presence;
  /** Run Command refuses every call that names it. */
  readonly isUnknown?: boolean;
  readonly answers?: Partial<Record<Phase, Answer | 'nothing'>>;
}

interface SendFault {
  readonly code: 'throttled' | 'refused' | 'ambiguous';
  /** Whether the command runs all the same. */
  readonly runs: boolean;
}

export interface ScriptedRunCommand {
  readonly commands: Commands;
  readonly fleet: Fleet;
  readonly hosts: Map<string, Host>;
  /** Commands that reached a server, by `<server> <phase>`. */
  readonly reached: ReadonlyMap<string, number>;
  readonly sent: readonly { readonly commandId: string; readonly request: CommandRequest }[];
  /** What becomes of the next sends. */
  readonly faults: SendFault[];
  /** Families that have no document. */
  readonly undocumented: Set<string>;
  /** Lets every server that has taken a command answer it. */
  answer(): Promise<void>;
}

interface Sent {
  readonly commandId: string;
  readonly request: CommandRequest;
  readonly at: Instant;
  readonly invocations: Map<string, Invocation>;
}

const pending = (serverId: string): Invocation => ({
  serverId,
  status: 'in-progress',
  terminal: false,
  statusDetails: 'inprogress',
  summary: '',
});

export function createScriptedRunCommand(
  servers: readonly Server[],
  objects: Objects,
  now: () => Instant,
): ScriptedRunCommand {
  const byId = new Map(servers.map((server) => [server.id, server]));
  const hosts = new Map<string, Host>();
  const reached = new Map<string, number>();
  const sent: Sent[] = [];
  const faults: SendFault[] = [];
  const undocumented = new Set<string>();

  const phaseOf = ({ document }: CommandRequest): Phase =>
    phaseSchema.parse(document.name.split('-')[2]?.toLowerCase());

  const run = (request: CommandRequest): string => {
    const same = sent.filter((one) => one.request.comment === request.comment).length;
    const commandId = `command ${same + 1} of ${request.comment}`;
    const invocations = new Map(request.serverIds.map((id) => [id, pending(id)]));
    sent.push({ commandId, request, at: now(), invocations });
    for (const id of request.serverIds) {
      const key = `${id} ${phaseOf(request)}`;
      reached.set(key, (reached.get(key) ?? 0) + 1);
    }
    return commandId;
  };

  const commands: Commands = {
    async pin(_place, name) {
      const [, family = '', phase = ''] = name.toLowerCase().split('-');
      if (undocumented.has(family)) throw new PortError('document-missing', `there is no document ${name}`);
      return pinOf(family as Server['family'], phase as Phase);
    },
    async send(_place, request) {
      const unknown = request.serverIds.filter((id) => hosts.get(id)?.isUnknown);
      if (unknown.length > 0) throw new PortError('invalid-servers', 'one of the instance ids is not valid');
      const fault = faults.shift();
      if (!fault) return run(request);
      if (fault.runs) run(request);
      throw new PortError(fault.code, `as the test has it: ${fault.code}`);
    },
    async find(_place, comment, since) {
      return sent
        .filter(({ request, at }) => request.comment === comment && at >= since)
        .map(({ commandId, at }) => ({ commandId, comment, requestedAt: at }));
    },
    async invocations(_place, commandId) {
      return [...(sent.find((one) => one.commandId === commandId)?.invocations.values() ?? [])];
    },
  };

  const answerOne = async ({ request, invocations }: Sent, id: string) => {
    const phase = phaseOf(request);
    const answer = hosts.get(id)?.answers?.[phase] ?? {};
    if (answer === 'nothing' || invocations.get(id)?.terminal) return;
    const summary = summaryOf(byId.get(id) as Server, phase, {
      campaign: String(request.parameters.CampaignId),
      ...answer.says,
    });
    const key = summaryOf(byId.get(id) as Server, phase).object?.key as string;
    if (answer.object !== null) await objects.put(key, answer.object ?? resultObjectOf());
    const status = answer.status ?? 'succeeded';
    const text = answer.prints ?? JSON.stringify(summary);
    invocations.set(id, { serverId: id, status, terminal: true, statusDetails: status, summary: text });
  };

  return {
    commands,
    fleet: {
      async presence(_place, serverIds) {
        return new Map(serverIds.map((id) => [id, hosts.get(id)?.presence ?? 'online']));
      },
    },
    hosts,
    reached,
    sent,
    faults,
    undocumented,
    async answer() {
      for (const one of sent) for (const id of one.invocations.keys()) await answerOne(one, id);
    },
  };
}
