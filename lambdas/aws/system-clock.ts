/** Owns the time of the functions: the machine's, since a function is the control plane. */
import { type Instant, instantOf } from '../../core/instant.ts';

export const now = (): Instant => instantOf(Date.now());

/** Milliseconds that never go back, since some moment. */
export const stopwatch = () => performance.now();

export const wait = (millis: number) => new Promise<void>((resolve) => setTimeout(resolve, millis));
