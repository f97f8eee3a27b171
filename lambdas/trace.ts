/** Owns the traces of a function: one part of Lambda's own trace, by campaign, with the calls to AWS below it. */
import { Tracer } from '@aws-lambda-powertools/tracer';

export type Trace = <Result>(
  annotations: Readonly<Record<string, unknown>>,
  work: () => Promise<Result>,
) => Promise<Result>;

/** Calls are seen as HTTP requests, so that no client has to be wrapped. Does nothing outside Lambda. */
export function createTrace(name: string): Trace {
  const tracer = new Tracer({ serviceName: name });
  return async (annotations, work) => {
    if (!tracer.isTracingEnabled()) return work();
    const parent = tracer.getSegment();
    const own = parent?.addNewSubsegment(`## ${name}`);
    if (parent === undefined || own === undefined) return work();
    tracer.setSegment(own);
    try {
      // Lambda's own segment can not be annotated, only ours below it.
      for (const [key, value] of Object.entries(annotations)) {
        if (typeof value === 'string' || typeof value === 'number') tracer.putAnnotation(key, value);
      }
      return await work();
    } catch (error) {
      if (error instanceof Error) tracer.addErrorAsMetadata(error);
      throw error;
    } finally {
      own.close();
      tracer.setSegment(parent);
    }
  };
}
