/** Owns a rehearsal on moto's engine: the process, what it asks of the test, and what it tells. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { json } from 'node:stream/consumers';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  SendTaskFailureCommand,
  SendTaskSuccessCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { isObject, type Json, type JsonObject } from '../../../apps/local/asl/json.ts';
import { pythonTool } from '../python.ts';
import {
  Actors,
  dice,
  lasting,
  lastingUntil,
  neutral,
  type Rehearsal,
  type Seen,
  type SeenRun,
  type SeenState,
  sortedRuns,
} from './rehearsal.ts';

type Wait = { readonly kind: 'until'; readonly until: string } | { kind: 'wait' | 'retry'; seconds: number };

/** One rehearsal at a time: what the process asks says not for which execution. */
interface Stage {
  readonly actors: Actors;
  readonly draw: () => number;
  readonly waits: string[];
  readonly runs: SeenRun[];
}

export const launcher = join(import.meta.dirname, 'moto_with_jsonata.py');

export class SecondEngine {
  readonly states: SFNClient;
  readonly #objects: S3Client;
  readonly #child: ChildProcess;
  readonly #control: Server;
  readonly #buckets = new Set<string>();
  readonly #killed: () => void;
  #stage: Stage | undefined;
  #machines = 0;

  static async start(): Promise<SecondEngine> {
    const control = createServer();
    control.listen(0, '127.0.0.1');
    await once(control, 'listening');
    const { port } = control.address() as AddressInfo;
    const child = spawn(pythonTool('python'), [launcher], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, QUARTERDECK_CONTROL: `http://127.0.0.1:${port}` },
    });
    return new SecondEngine(child, control, await listening(child));
  }

  private constructor(child: ChildProcess, control: Server, endpoint: string) {
    const client = {
      endpoint,
      region: 'eu-central-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    };
    this.#child = child;
    this.#control = control;
    this.states = new SFNClient(client);
    this.#objects = new S3Client({ ...client, forcePathStyle: true });
    this.#killed = () => void child.kill('SIGKILL');
    process.once('exit', this.#killed);
    control.on('request', async (request, response) => {
      try {
        const answer = await this.#answer(request.url ?? '', (await json(request)) as JsonObject);
        response.end(JSON.stringify(answer ?? null));
      } catch (error) {
        response.writeHead(500).end(String(error));
      }
    });
  }

  async run(rehearsal: Rehearsal): Promise<Seen> {
    const stage: Stage = {
      actors: new Actors(rehearsal),
      draw: dice(rehearsal.dice),
      waits: [],
      runs: [],
    };
    this.#stage = stage;
    await this.#put(rehearsal.objects ?? {});
    const machine = await this.states.send(
      new CreateStateMachineCommand({
        name: `machine-${++this.#machines}`,
        definition: asMotoReads(rehearsal.definition),
        roleArn: 'arn:aws:iam::123456789012:role/machine',
      }),
    );
    const { executionArn } = await this.states.send(
      new StartExecutionCommand({
        stateMachineArn: machine.stateMachineArn,
        name: 'one',
        input: JSON.stringify(rehearsal.input),
      }),
    );
    const ended = await this.#ended(executionArn);
    return {
      ...ended,
      runs: sortedRuns(stage.runs),
      waits: stage.waits.sort(),
      invocations: stage.actors.invocations,
    };
  }

  async close(): Promise<void> {
    process.off('exit', this.#killed);
    this.states.destroy();
    this.#objects.destroy();
    this.#control.closeAllConnections();
    this.#control.close();
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }

  async #put(objects: Readonly<Record<string, string>>): Promise<void> {
    for (const [path, Body] of Object.entries(objects)) {
      const [Bucket = '', ...key] = path.split('/');
      if (!this.#buckets.has(Bucket)) {
        await this.#objects.send(
          new CreateBucketCommand({
            Bucket,
            CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' },
          }),
        );
        this.#buckets.add(Bucket);
      }
      await this.#objects.send(new PutObjectCommand({ Bucket, Key: key.join('/'), Body }));
    }
  }

  async #ended(executionArn: string | undefined): Promise<Omit<Seen, 'runs' | 'waits' | 'invocations'>> {
    const deadline = Date.now() + 20_000;
    for (;;) {
      const found = await this.states.send(new DescribeExecutionCommand({ executionArn }));
      if (found.status !== 'RUNNING') {
        const { status = '', output, error, cause } = found;
        return {
          status,
          ...(output === undefined ? {} : { output: neutral(parsed(output)) }),
          ...(error === undefined ? {} : { error }),
          ...(cause === undefined ? {} : { cause: neutral(cause) }),
        };
      }
      if (Date.now() > deadline) throw new Error(`still running: ${JSON.stringify(this.#stage?.runs)}`);
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
  }

  async #answer(path: string, question: JsonObject): Promise<unknown> {
    const stage = this.#stage;
    if (!stage) throw new Error(`nobody rehearses, and ${path} is asked`);
    if (path === '/draw') return stage.draw();
    if (path === '/wait') {
      const wait = question as unknown as Wait;
      stage.waits.push(wait.kind === 'until' ? lastingUntil(wait.until) : lasting(wait.kind, wait.seconds));
      return null;
    }
    if (path === '/run') {
      const { states } = question as unknown as SeenRun;
      stage.runs.push({ states: states.map(seenState) });
      return null;
    }
    const { answer, token } = stage.actors.ask(question.functionName as string, question.payload ?? null);
    if (token === undefined) return answer;
    if ('silent' in answer) return { ...answer, submitted: true };
    if ('success' in answer) {
      const output = JSON.stringify(answer.success);
      await this.states.send(new SendTaskSuccessCommand({ taskToken: token, output }));
    } else if ('failure' in answer) {
      const { failure: error, cause } = answer;
      await this.states.send(new SendTaskFailureCommand({ taskToken: token, error, cause }));
    } else return answer;
    return { result: null };
  }
}

/**
 * moto's grammar asks for a point in ToleratedFailurePercentage, and knows Parameters only in a ResultWriter (which
 * the launcher reads as JSONata). limits.test.ts holds that this is still needed.
 */
function asMotoReads(definition: JsonObject): string {
  const text = JSON.stringify(definition, (key, value: unknown) => {
    if (key !== 'ResultWriter' || !isObject(value)) return value;
    const { Arguments, ...rest } = value;
    return { ...rest, Parameters: Arguments };
  });
  return text.replace(/("ToleratedFailurePercentage":\d+)(?=[,}])/g, '$1.0');
}

function seenState(told: SeenState): SeenState {
  const { name, input, output, variables } = told;
  return {
    name,
    input: neutral(input),
    ...(output === undefined ? {} : { output: neutral(output), variables: neutral(variables ?? {}) }),
  };
}

/** moto puts out a string without its quotation marks. */
function parsed(output: string): Json {
  try {
    return JSON.parse(output) as Json;
  } catch {
    return output;
  }
}

function listening(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const lines: string[] = [];
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`moto ended with ${code}:\n${lines.join('\n')}`)));
    if (child.stderr === null) throw new Error('moto has no standard error to be read');
    createInterface({ input: child.stderr }).on('line', (line) => {
      lines.push(line);
      const found = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(line);
      if (found?.[1]) resolve(found[1]);
    });
  });
}
