/** Owns processes that die: ports that throw at one call, before or after its effect, and at every call after it. */
import type { Ports } from '../../core/ports.ts';

/** Of the calls of one process to its ports, in order, from 0. */
export interface Death {
  readonly call: number;
  readonly side: 'before' | 'after';
}

export class Died extends Error {
  constructor(at: string) {
    super(`the process died ${at}`);
    this.name = 'Died';
  }
}

export interface MortalPorts {
  readonly ports: Ports;
  /** Names of the calls that were made. */
  readonly calls: readonly string[];
}

/** @param death undefined to count only */
export function mortal(real: Ports, death: Death | undefined): MortalPorts {
  const calls: string[] = [];
  let isDead = false;
  const die = (name: string, side: string) => {
    isDead = true;
    return new Died(`${side} ${name}`);
  };
  const ports = wrapPorts(real, async (name, proceed) => {
    if (isDead) throw die(name, 'before');
    const isLast = calls.push(name) - 1 === death?.call;
    if (isLast && death.side === 'before') throw die(name, 'before');
    const result = await proceed();
    if (isLast) throw die(name, 'after');
    return result;
  });
  return { ports, calls };
}

/** Ports that let something else happen, once, before one call. */
export function interposed(
  real: Ports,
  call: number,
  act: () => Promise<unknown>,
): { readonly ports: Ports; readonly calls: readonly string[] } {
  const calls: string[] = [];
  const ports = wrapPorts(real, async (name, proceed) => {
    if (calls.push(name) - 1 === call) await act();
    return proceed();
  });
  return { ports, calls };
}

/** Puts something around every call to every port. */
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
  return Object.fromEntries(
    Object.entries(real).map(([name, port]) => [name, wrap(name, port)]),
  ) as unknown as Ports;
}
