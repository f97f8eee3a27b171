/** Owns the way from use-cases to the embedded state machines: answers to their tokens, and their start. */
import type { Callbacks, Executions } from '../../core/ports.ts';
import type { Engine } from './asl/engine.ts';
import { ApiError, type ApiErrorName } from './asl/errors.ts';

/** The state no longer waits: it timed out, was answered already, or ended. Nothing is lost by that. */
const benign: ReadonlySet<string> = new Set<ApiErrorName>([
  'TaskTimedOut',
  'TaskDoesNotExist',
  'InvalidToken',
]);

function deliver(call: () => void): 'delivered' | 'gone' {
  try {
    call();
    return 'delivered';
  } catch (error) {
    if (error instanceof ApiError && benign.has(error.name)) return 'gone';
    throw error;
  }
}

export function engineCallbacks(engine: Pick<Engine, 'sendTaskSuccess' | 'sendTaskFailure'>): Callbacks {
  return {
    succeed: async (token, output) => deliver(() => engine.sendTaskSuccess(token, JSON.stringify(output))),
    fail: async (token, error, cause) => deliver(() => engine.sendTaskFailure(token, error, cause)),
  };
}

/** Starting the same execution again, with the same input, changes nothing, whether it runs or has ended. */
export function engineExecutions(engine: Pick<Engine, 'start'>, machine: string): Executions {
  return {
    async start(name, input) {
      try {
        engine.start(machine, name, input);
      } catch (error) {
        if (!(error instanceof ApiError && error.name === 'ExecutionAlreadyExists')) throw error;
      }
    },
  };
}
