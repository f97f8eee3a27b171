/** Owns what all functions share: their environment, the time, logs that name the campaign, metrics, and traces. */
import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import type { Instant } from '../core/instant.ts';
import type { Home } from './aws/place-clients.ts';
import { now, stopwatch } from './aws/system-clock.ts';
import { type Environment, type EnvironmentKey, readEnvironment } from './environment.ts';
import { type FunctionName, functions, portEnvironment } from './functions.ts';
import { metricNamespace } from './metric-names.ts';
import { createTrace } from './trace.ts';

/** Of Lambda's context, what is read. */
export interface InvocationContext {
  readonly awsRequestId: string;
  readonly invokedFunctionArn: string;
}

/** The variables that come with the ports of a function. */
type KeysOf<Name extends FunctionName> =
  (typeof portEnvironment)[(typeof functions)[Name]['ports'][number]][number] & EnvironmentKey;

export interface World<Name extends FunctionName> {
  readonly environment: Environment<KeysOf<Name>>;
  readonly home: Home;
}

export interface HandlerShape<Name extends FunctionName, Ports, Output> {
  readonly name: Name;
  /** Called once per process. */
  readonly compose: (world: World<Name>) => Ports;
  readonly run: (
    ports: Ports,
    event: unknown,
    now: Instant,
    logger: Logger,
    count: (metric: string, value: number) => void,
  ) => Promise<Output>;
}

/** What fails is logged and thrown as it is: the state machine knows errors by their names. */
export function createHandler<Name extends FunctionName, Ports, Output>(
  shape: HandlerShape<Name, Ports, Output>,
): (event: unknown, context: InvocationContext) => Promise<Output> {
  const { name, compose, run } = shape;
  const logger = new Logger({ serviceName: name });
  const metrics = new Metrics({ namespace: metricNamespace, serviceName: name });
  const trace = createTrace(name);
  let ports: Ports | undefined;
  return async (event, context) => {
    logger.resetKeys();
    const subject = subjectOf(event);
    logger.appendKeys({ requestId: context.awsRequestId, ...subject });
    const begun = stopwatch();
    try {
      const output = await trace(subject, () => {
        ports ??= compose({ environment: readEnvironment(keysOf(name)), home: homeOf(context) });
        const count = (metric: string, value: number) =>
          void metrics.addMetric(metric, MetricUnit.Count, value);
        return run(ports, event, now(), logger, count);
      });
      logger.info('done', { milliseconds: Math.round(stopwatch() - begun) });
      return output;
    } catch (error) {
      logger.error('failed', error instanceof Error ? error : new Error(String(error)));
      metrics.addMetric('Failed', MetricUnit.Count, 1);
      throw error;
    } finally {
      metrics.addMetric('Duration', MetricUnit.Milliseconds, stopwatch() - begun);
      metrics.publishStoredMetrics();
    }
  };
}

function keysOf<Name extends FunctionName>(name: Name): readonly KeysOf<Name>[] {
  const keys = functions[name].ports.flatMap((port): readonly EnvironmentKey[] => portEnvironment[port]);
  return [...new Set(keys)] as readonly KeysOf<Name>[];
}

/** Which campaign, batch and phase an event is about; task tokens and plans stay out of the logs. */
function subjectOf(event: unknown): Record<string, unknown> {
  if (typeof event !== 'object' || event === null) return {};
  const told = ['campaignId', 'batchId', 'phase', 'wave', 'at'];
  return Object.fromEntries(Object.entries(event).filter(([key]) => told.includes(key)));
}

/** `arn:aws:lambda:eu-central-1:123456789012:function:…`. Lambda tells a function its account nowhere else. */
function homeOf({ invokedFunctionArn }: InvocationContext): Home {
  const [, partition, , region, account] = invokedFunctionArn.split(':');
  if (!partition || !region || !account)
    throw new Error(`the function's ARN ${invokedFunctionArn} names no account and Region`);
  return { partition, region, account };
}
