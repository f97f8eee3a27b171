/** Owns servers that are functions: what a test says becomes of each command, in virtual time and without processes. */
import type { LocalClock } from '../../apps/local/clock.ts';
import type { Agent, AgentLink, AgentTask, CommandEnd } from '../../apps/local/run-command/agent.ts';
import { combineOutput } from '../../apps/local/run-command/output.ts';

export interface Answer {
  /** Seconds until it answers. */
  readonly after?: number;
  readonly code?: number;
  readonly stdout?: string;
  readonly stderr?: string;
  /** Instead of what follows from the code. */
  readonly end?: CommandEnd;
}

export interface FunctionAgent extends Agent {
  /** What was carried out, in order. */
  readonly taken: AgentTask[];
  /** Servers that do not answer right now. */
  readonly away: Set<string>;
}

export function createFunctionAgent(
  clock: LocalClock,
  answer: (task: AgentTask) => Answer = () => ({}),
): FunctionAgent {
  const taken: AgentTask[] = [];
  const away = new Set<string>();
  return {
    taken,
    away,
    online: (id) => !away.has(id),
    async execute(task: AgentTask, link: AgentLink): Promise<CommandEnd> {
      taken.push(task);
      const { after = 1, code = 0, stdout = 'done\n', stderr = '', end } = answer(task);
      const startedAt = clock.now();
      const isCancelled = await new Promise<boolean>((resolve) => {
        clock.at(startedAt + after * 1000, () => resolve(false));
        link.cancelled.addEventListener('abort', () => resolve(true));
      });
      if (end === 'silent') return end;
      const status = isCancelled ? 'Cancelled' : code === 0 ? 'Success' : 'Failed';
      link.report({
        name: task.document.mainSteps.at(-1)?.name ?? '',
        status,
        code: isCancelled ? 137 : code,
        stdout,
        stderr,
        output: combineOutput(stdout, stderr),
        startedAt,
        endedAt: clock.now(),
      });
      return end ?? status;
    },
  };
}
