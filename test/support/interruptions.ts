/** Owns processes that die: ports that throw after one call took effect, and before every call after it. */
import type { Measures, Ports } from '../../core/ports.ts';

export class Died extends Error {
  constructor(at: string) {
    super(`the process died ${at}`);
    this.name = 'Died';
  }
}

export interface WatchedPorts {
  readonly ports: Ports;
  /** Names of the calls that were made. */
  readonly calls: readonly string[];
}

/** @param last the last call of the process, counted from 0; undefined to let it live */
export function mortal(real: Ports, last: number | undefined): WatchedPorts {
  const calls: string[] = [];
  let isDead = false;
  const begin = (name: string): (() => void) => {
    if (isDead) throw new Died(`before ${name}`);
    const isLast = calls.push(name) - 1 === last;
    // Calls that are under way at once with it are lost too.
    if (isLast) isDead = true;
    return () => {
      if (isLast) throw new Died(`after ${name}`);
    };
  };
  const ports = wrapPorts(real, async (name, proceed) => {
    const end = begin(name);
    const result = await proceed();
    end();
    return result;
  });
  // Nobody awaits a count: what is thrown at it has to come at once, or nobody hears of it.
  const measures: Measures = {
    count(measure, servers) {
      const end = begin('measures.count');
      real.measures.count(measure, servers);
      end();
    },
  };
  return { ports: { ...ports, measures }, calls };
}

/** Ports that let something else happen, once, before one call that takes time: nothing comes before others. */
export function interposed(real: Ports, call: number, act: () => Promise<unknown>): WatchedPorts {
  const calls: string[] = [];
  const ports = wrapPorts(real, async (name, proceed) => {
    if (calls.push(name) - 1 === call) await act();
    return proceed();
  });
  return { ports, calls };
}

/** Puts something around every call that takes time, to every port. */
function wrapPorts(
  real: Ports,
  around: (name: string, proceed: () => Promise<unknown>) => Promise<unknown>,
): Ports {
  const wrap = <T extends object>(portName: string, port: T): T =>
    new Proxy(port, {
      get(target, property) {
        const value: unknown = Reflect.get(target, property);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) =>
          around(`${portName}.${String(property)}`, () => Reflect.apply(value, target, args));
      },
    });
  const wrapped = Object.fromEntries(Object.entries(real).map(([name, port]) => [name, wrap(name, port)]));
  return { ...(wrapped as unknown as Ports), measures: real.measures };
}
