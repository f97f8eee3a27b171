/** Owns our own Step Functions engine behind HTTP, in the words of its API, as far as the functions use it. */
import type { Engine } from '../../apps/local/asl/engine.ts';
import { ApiError } from '../../apps/local/asl/errors.ts';
import { type JsonEndpoint, serveJson } from '../support/json-endpoint.ts';

/** @param aliasArn on which executions start; the engine knows the machine as `machine` */
export function serveEngine(engine: Engine, machine: string, aliasArn: string): Promise<JsonEndpoint> {
  const operations = {
    StartExecution({
      stateMachineArn,
      name,
      input,
    }: {
      stateMachineArn: string;
      name: string;
      input: string;
    }) {
      if (stateMachineArn !== aliasArn)
        throw new ApiError('StateMachineDoesNotExist', `${stateMachineArn} is not ${aliasArn}`);
      const { arn, startTime } = engine.start(machine, name, JSON.parse(input));
      return { executionArn: arn, startDate: startTime / 1000 };
    },
    SendTaskSuccess: ({ taskToken, output }: { taskToken: string; output: string }) =>
      engine.sendTaskSuccess(taskToken, output),
    SendTaskFailure: ({ taskToken, error, cause }: { taskToken: string; error?: string; cause?: string }) =>
      engine.sendTaskFailure(taskToken, error, cause),
  };
  return serveJson(operations, (error) => error instanceof ApiError);
}
