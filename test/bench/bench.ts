/** Owns what a bench is: a named piece of work that ends in rows of a table. */

export interface BenchRow {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** The bound that the value should keep. */
  readonly atMost?: number;
}

export interface Bench {
  readonly name: string;
  /** What it needs that a machine may not have; said instead of running it. */
  readonly unavailable?: () => Promise<string | undefined>;
  run(): Promise<readonly BenchRow[]>;
}

/** Milliseconds that the work took. */
export async function millisOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
