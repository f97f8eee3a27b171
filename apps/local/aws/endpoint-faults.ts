/** Owns the faults that the S3 endpoint can be told to have. */

/** Which requests a fault befalls; what is left out matches all. */
interface FaultTarget {
  readonly serverId?: string;
  readonly method?: 'GET' | 'PUT' | 'HEAD';
}

/** `cut`: the connection breaks instead of an answer. `lost-answer`: it breaks after the work was done. */
type Fault = 'InternalError' | 'SlowDown' | 'cut' | 'lost-answer';

export interface EndpointFaults {
  /** The next `count` requests fail so. */
  failNext(count: number, fault: Fault, target?: FaultTarget): void;
  /** Each answer is late by so many real milliseconds. */
  delay(millis: number, target?: FaultTarget): void;
  clear(): void;
}

export interface FaultSource extends EndpointFaults {
  /** Uses up one fault that befalls the request, if there is any. */
  take(serverId: string, method: string): Fault | undefined;
  delayOf(serverId: string, method: string): number;
}

export function createFaults(): FaultSource {
  let failures: { left: number; readonly fault: Fault; readonly target: FaultTarget }[] = [];
  let delays: { readonly millis: number; readonly target: FaultTarget }[] = [];
  const befalls = (target: FaultTarget, serverId: string, method: string) =>
    (target.serverId ?? serverId) === serverId && (target.method ?? method) === method;
  return {
    failNext(count, fault, target = {}) {
      failures.push({ left: count, fault, target });
    },
    delay(millis, target = {}) {
      delays.push({ millis, target });
    },
    clear() {
      failures = [];
      delays = [];
    },
    take(serverId, method) {
      const failure = failures.find(({ left, target }) => left > 0 && befalls(target, serverId, method));
      if (failure) failure.left--;
      return failure?.fault;
    },
    delayOf: (serverId, method) =>
      delays
        .filter(({ target }) => befalls(target, serverId, method))
        .reduce((sum, { millis }) => sum + millis, 0),
  };
}
