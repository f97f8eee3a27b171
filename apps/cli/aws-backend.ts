/** Owns the answers of a stack on AWS: each call is an invocation of the function of that name, with your credentials. */
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { ask, type Send } from '../../core/call-message.ts';
import { type Backend, type CallName, functionNameIn, Refused } from '../../core/calls.ts';

export interface StackLocation {
  /** Its name. */
  readonly stack: string;
  readonly region: string;
  /** Elsewhere than AWS: a server of the tests. */
  readonly endpoint?: string;
}

/** The longest that a function may work; the client would give up sooner. */
const longestMillis = 905_000;

export function createAwsBackend({ stack, region, endpoint }: StackLocation): Backend {
  // On Node 20 the SDK would warn, on the first client of each process, of the year in which its support ends.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  const client = new LambdaClient({
    region,
    ...(endpoint !== undefined && { endpoint }),
    // Asking twice for the same is harmless, and slow: only what was not taken is asked again.
    maxAttempts: 3,
    requestHandler: { requestTimeout: longestMillis },
  });
  return {
    call: (name, input) => ask(sendTo(client, functionNameIn(stack, name), name), input),
    async close() {
      client.destroy();
    },
  };
}

function sendTo(client: LambdaClient, FunctionName: string, name: CallName): Send {
  return async (event) => {
    const { FunctionError, Payload } = await client
      .send(new InvokeCommand({ FunctionName, Payload: JSON.stringify(event) }))
      .catch((error: unknown) => {
        throw whyNot(error, FunctionName);
      });
    const text = Payload === undefined ? 'null' : Buffer.from(Payload).toString('utf8');
    if (FunctionError === undefined) return JSON.parse(text);
    const { errorType = '', errorMessage } = JSON.parse(text) as {
      errorType?: string;
      errorMessage?: string;
    };
    const said = saidByFunctions[errorType];
    if (said !== undefined) throw new Refused(said, errorMessage ?? `${name} refused, and did not say why`);
    throw new Error(`${name} failed on AWS: ${errorMessage ?? text.slice(0, 400)}`);
  };
}

/** Functions that are older than calls throw their refusals; Lambda passes the name of an error on. */
const saidByFunctions: Readonly<Record<string, string>> = {
  DecisionRefused: 'decision-refused',
  RootVolumeRefused: 'root-volume-refused',
  MissingItemError: 'not-stored',
};

/** What people can mend by themselves is said so. */
function whyNot(error: unknown, functionName: string): unknown {
  const { name = '', message = String(error) } = error instanceof Error ? error : {};
  if (name === 'ResourceNotFoundException') {
    return new Refused(
      'no-stack',
      `there is no function ${functionName}: deploy the stack, or correct name and home in the configuration`,
    );
  }
  if (
    name === 'AccessDeniedException' ||
    name === 'CredentialsProviderError' ||
    name === 'ExpiredTokenException'
  ) {
    return new Refused('no-access', `${functionName} can not be called: ${message}`);
  }
  return error;
}
