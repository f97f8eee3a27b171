/** Owns what a command may touch: files, the terminal, and whoever answers. */
import type { Backend } from '../../core/calls.ts';
import type { CommonArguments } from './asked.ts';

export interface World {
  /** Of UTF-8. */
  readText(path: string): string;
  /** As spreadsheets write it. @throws CsvTextError */
  readList(path: string): string;
  writeText(path: string, text: string): void;
  exists(path: string): boolean;
  /** Of this machine's clock. */
  readonly now: string;
  /** Who is logged in. */
  readonly user: string;
  out(text: string): unknown;
  note(text: string): unknown;
  /** Of the terminal. */
  readonly columns: number;
  readonly colour: boolean;
  /** Whoever answers for what is stored. @throws UsageError when the configuration can not be read */
  open(asked: CommonArguments): Promise<Backend>;
}

/** What is not well is done, and somebody should look. */
export const exitCodes = { done: 0, refused: 1, conflicts: 4, unwell: 4 } as const;

/** Opens, and closes whatever happens. */
export async function withBackend<T>(
  asked: CommonArguments,
  world: World,
  run: (backend: Backend) => Promise<T>,
): Promise<T> {
  const backend = await world.open(asked);
  try {
    return await run(backend);
  } finally {
    await backend.close();
  }
}
