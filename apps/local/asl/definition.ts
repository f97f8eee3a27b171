/** Owns what a loaded definition is: states with compiled expressions, whose references have been checked. */
import type { RetrierShape } from './definition-schema.ts';
import type { Json } from './json.ts';
import type { Template, View } from './template.ts';

export interface Typed<T> {
  evaluate(view: View): Promise<T>;
}

export interface Results {
  readonly assign?: Readonly<Record<string, Template>>;
  readonly output?: Template;
}

export interface Catcher extends Results {
  readonly errorEquals: readonly string[];
  readonly next: string;
}

interface Common extends Results {
  readonly name: string;
  /** Undefined where the state ends its block. */
  readonly next?: string;
}

export interface Handled extends Common {
  readonly retry: readonly RetrierShape[];
  readonly catch: readonly Catcher[];
}

export interface TaskState extends Handled {
  readonly type: 'Task';
  readonly callback: boolean;
  readonly arguments: Template;
  readonly timeout?: Typed<number>;
  readonly heartbeat?: Typed<number>;
}
interface PassState extends Common {
  readonly type: 'Pass';
}
export interface WaitState extends Common {
  readonly type: 'Wait';
  readonly seconds?: Typed<number>;
  readonly timestamp?: Typed<string>;
}
export interface ChoiceState extends Common {
  readonly type: 'Choice';
  readonly choices: readonly (Results & { condition: Typed<boolean>; next: string })[];
}
interface SucceedState extends Common {
  readonly type: 'Succeed';
}
export interface FailState extends Common {
  readonly type: 'Fail';
  readonly error?: Typed<string>;
  readonly cause?: Typed<string>;
}
export interface ParallelState extends Handled {
  readonly type: 'Parallel';
  readonly arguments?: Template;
  readonly branches: readonly Block[];
}
export interface MapState extends Handled {
  readonly type: 'Map';
  readonly processor: Block;
  readonly distributed: boolean;
  readonly label: string;
  readonly items?: Typed<Json[]>;
  readonly reader?: {
    readonly lines: boolean;
    readonly bucket: Typed<string>;
    readonly key: Typed<string>;
    readonly maxItems?: Typed<number>;
  };
  readonly selector?: Template;
  readonly maxConcurrency?: Typed<number>;
  readonly toleratedCount?: Typed<number>;
  readonly toleratedPercentage?: Typed<number>;
  readonly writer?: { readonly bucket: Typed<string>; readonly prefix?: Typed<string> };
}
export type State =
  | TaskState
  | PassState
  | WaitState
  | ChoiceState
  | SucceedState
  | FailState
  | ParallelState
  | MapState;

/** States that run in one scope: the whole machine, a branch, or what a Map does with an item. */
export interface Block {
  readonly startAt: string;
  readonly states: ReadonlyMap<string, State>;
}

export interface Definition extends Block {
  readonly timeoutSeconds?: number;
}
