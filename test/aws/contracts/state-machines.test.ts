import { afterAll, vi } from 'vitest';
import { callbacks, executions } from '../../../lambdas/compose.ts';
import { describeCallbacks, type Ended } from '../../contracts/callbacks.contract.ts';
import { describeExecutions } from '../../contracts/executions.contract.ts';
import { type AwsApi, createAwsApi } from '../aws-api.ts';
import { composeAt } from '../composed.ts';
import { type Moto, startMoto } from '../moto.ts';

const home = { account: '111111111111', region: 'eu-central-1' };
const role = `arn:aws:iam::${home.account}:role/machine`;

afterAll(() => vi.unstubAllEnvs());

/** moto only pretends to run executions, until it is told to. */
async function startRunningMoto(): Promise<{ moto: Moto; api: AwsApi; states: States }> {
  const moto = await startMoto(home);
  const answer = await fetch(`${moto.endpoint}/moto-api/config`, {
    method: 'POST',
    body: JSON.stringify({ stepfunctions: { execute_state_machine: true } }),
  });
  if (!answer.ok) throw new Error(`moto runs no executions: ${answer.status}`);
  const api = createAwsApi(moto.endpoint, home.region);
  return { moto, api, states: (name, input) => api.json('states', `AWSStepFunctions.${name}`, input) };
}

type States = (operation: string, input: object) => Promise<Record<string, unknown>>;

async function createMachine(states: States, state: object): Promise<string> {
  const { stateMachineArn } = await states('CreateStateMachine', {
    name: 'machine',
    roleArn: role,
    definition: JSON.stringify({ StartAt: 'Only', States: { Only: state } }),
  });
  return String(stateMachineArn);
}

describeCallbacks(
  'Step Functions of moto',
  async () => {
    const { moto, api, states } = await startRunningMoto();
    const { QueueUrl } = await api.json('sqs', 'AmazonSQS.CreateQueue', { QueueName: 'tokens' });
    const stateMachineArn = await createMachine(states, {
      Type: 'Task',
      Resource: 'arn:aws:states:::sqs:sendMessage.waitForTaskToken',
      Parameters: { QueueUrl, MessageBody: { 'token.$': '$$.Task.Token' } },
      End: true,
    });
    const executionOf = new Map<string, string>();
    const describe = (token: string) => states('DescribeExecution', { executionArn: executionOf.get(token) });
    return {
      callbacks: callbacks({ home: composeAt(moto.endpoint, home) }),
      async wait() {
        const { executionArn } = await states('StartExecution', {
          stateMachineArn,
          name: `waiting-${executionOf.size}`,
          input: '{}',
        });

        const body = await vi.waitUntil(
          async () => {
            const { Messages } = (await api.json('sqs', 'AmazonSQS.ReceiveMessage', { QueueUrl })) as {
              Messages?: { Body: string }[];
            };
            return Messages?.[0]?.Body;
          },
          { timeout: 10_000 },
        );
        const { token } = JSON.parse(body) as { token: string };
        executionOf.set(token, String(executionArn));
        return token;
      },
      async ended(token): Promise<Ended> {
        // It runs in a thread of moto, and has half a second to end.
        for (let look = 0; look < 10; look++) {
          const { status, output, error, cause } = await describe(token);
          if (status === 'SUCCEEDED') return { output: JSON.parse(String(output ?? null)) };
          if (status === 'FAILED') return { error: String(error), cause: String(cause) };
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        return 'waiting';
      },
      async stop(token) {
        await states('StopExecution', { executionArn: executionOf.get(token) });
      },
      close: () => moto.close(),
    };
  },
  {
    cause: 'moto takes none from SendTaskFailure',
    'late failure': 'moto looks for the token in executions that have ended too',
    stopped: 'moto still delivers to an execution that was stopped',
  },
);

describeExecutions(
  'Step Functions of moto',
  async () => {
    const { moto, states } = await startRunningMoto();
    const stateMachine = await createMachine(states, { Type: 'Wait', Seconds: 2, End: true });
    const arnOf = (name: string) => `${stateMachine.replace(':stateMachine:', ':execution:')}:${name}`;
    return {
      executions: executions({ home: composeAt(moto.endpoint, home), environment: { stateMachine } }),
      async inputs(name) {
        const { executions } = (await states('ListExecutions', { stateMachineArn: stateMachine })) as {
          executions: { name: string; executionArn: string }[];
        };
        const named = executions.filter((each) => each.name === name);
        return Promise.all(
          named.map(async ({ executionArn }) =>
            JSON.parse(String((await states('DescribeExecution', { executionArn })).input)),
          ),
        );
      },
      async end(name) {
        await states('StopExecution', { executionArn: arnOf(name) });
      },
      close: () => moto.close(),
    };
  },
  { anyName: 'moto checks no names' },
);
