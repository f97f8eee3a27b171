/** Owns the functions of a stack as they run: bundled, each in a thread with the environment that the template gives it. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { FunctionName } from '../../lambdas/functions.ts';
import type { InvocationContext } from '../../lambdas/handler.ts';
import { bundlesVariable } from './bundles.ts';
import type { StackFunction } from './stack.ts';

export interface RunningFunctions {
  /** @param nameOrArn `sweep`, or the ARN; @param now epoch milliseconds that the function takes it to be */
  invoke(nameOrArn: string, event: unknown, now: number): Promise<unknown>;
  /** Lines of JSON that a function has written: its log and its metrics. */
  lines(name: FunctionName): readonly string[];
  close(): Promise<void>;
}

export interface FunctionsOptions {
  readonly functions: readonly StackFunction[];
  readonly region: string;
  /** Where all calls to AWS go. */
  readonly endpoint: string;
}

/** Of one process: one event at a time, as Lambda gives them to an instance. */
interface Instance {
  readonly worker: Worker;
  readonly lines: string[];
  last: Promise<unknown>;
}

/** A function signs with its own name as access key id, which tells the proxy whose calls it sees. */
export function startFunctions(options: FunctionsOptions): RunningFunctions {
  const folder = process.env[bundlesVariable] ?? '';
  const instances = new Map<string, Instance>();
  const started = (fn: StackFunction): Instance => {
    const running = instances.get(fn.name);
    if (running) return running;
    const worker = new Worker(join(folder, 'function-worker.mjs'), {
      workerData: { bundle: pathToFileURL(join(folder, `${fn.name}.mjs`)).href },
      env: environmentOf(fn, options),
      stdout: true,
      stderr: true,
    });
    const lines: string[] = [];
    for (const stream of [worker.stdout, worker.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => lines.push(...text.trimEnd().split('\n')));
    // A test ends when it is done, whatever connections its functions hold.
    worker.unref();
    const instance = { worker, lines, last: Promise.resolve() };
    instances.set(fn.name, instance);
    return instance;
  };
  let invocations = 0;
  return {
    invoke(nameOrArn, event, now) {
      const fn = options.functions.find(({ name, arn }) => name === nameOrArn || arn === nameOrArn);
      if (fn === undefined) throw new Error(`the stack has no function ${nameOrArn}`);
      const instance = started(fn);
      const id = ++invocations;
      const context = { awsRequestId: `request-${id}`, invokedFunctionArn: fn.arn };
      const answer = instance.last.then(() => call(instance.worker, { id, event, context, now }));
      instance.last = answer.catch(() => {});
      return answer;
    },
    lines: (name) => instances.get(name)?.lines ?? [],
    async close() {
      await Promise.all([...instances.values()].map(({ worker }) => worker.terminate()));
    },
  };
}

interface Invocation {
  readonly id: number;
  readonly event: unknown;
  readonly context: InvocationContext;
  readonly now: number;
}

interface Reply {
  readonly id: number;
  readonly output?: string;
  readonly error?: { readonly name: string; readonly message: string; readonly stack?: string };
}

function call(worker: Worker, invocation: Invocation): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error) => settle(() => reject(error));
    const replied = ({ id, output, error }: Reply) => {
      if (id !== invocation.id) return;
      // The state machine knows errors by their names.
      if (error) settle(() => reject(Object.assign(new Error(error.message), error)));
      else settle(() => resolve(JSON.parse(output ?? 'null')));
    };
    const settle = (end: () => void) => {
      worker.off('message', replied).off('error', failed);
      worker.unref();
      end();
    };
    worker.on('message', replied).on('error', failed);
    worker.ref();
    worker.postMessage(invocation);
  });
}

/** What Lambda sets beside what the template says. */
function environmentOf(fn: StackFunction, { region, endpoint }: FunctionsOptions): Record<string, string> {
  return {
    ...fn.environment,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: fn.name,
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_LAMBDA_FUNCTION_NAME: fn.arn.split(':').at(-1) ?? fn.name,
    AWS_ENDPOINT_URL: endpoint,
    // No configuration of whoever runs the tests.
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    NODE_NO_WARNINGS: '1',
  };
}
