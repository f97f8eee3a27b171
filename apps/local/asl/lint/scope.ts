/** Owns how lints see a definition: scope by scope, and within a state, string by string. */
import { isObject } from '../json.ts';

export interface Finding {
  /** Empty for what concerns the machine as a whole. */
  readonly state: string;
  /** Within the state: `Catch[0]/Output/error`. */
  readonly path: string;
  readonly message: string;
}

export type RawState = Record<string, unknown>;

/** States that see the same variables: the machine, a branch, or what a Map does with an item. */
export interface Scope {
  readonly kind: 'machine' | 'branch' | 'inline' | 'distributed';
  readonly startAt: string;
  readonly states: Readonly<Record<string, RawState>>;
  /** The scope that this one is in, and the Map or Parallel there. */
  readonly outer?: { readonly scope: Scope; readonly state: string };
}

/** All scopes of a definition, outer ones first. */
export function scopesOf(definition: unknown): Scope[] {
  return isObject(definition) ? collect(definition, 'machine') : [];
}

function collect(block: Record<string, unknown>, kind: Scope['kind'], outer?: Scope['outer']): Scope[] {
  const states = isObject(block.States) ? block.States : {};
  const scope: Scope = {
    kind,
    startAt: String(block.StartAt),
    states: Object.fromEntries(
      Object.entries(states).filter((entry): entry is [string, RawState] => isObject(entry[1])),
    ),
    ...(outer ? { outer } : {}),
  };
  const inner = Object.entries(scope.states).flatMap(([state, value]) => {
    const branches = Array.isArray(value.Branches) ? value.Branches.filter(isObject) : [];
    const within = branches.flatMap((branch) => collect(branch, 'branch', { scope, state }));
    if (!isObject(value.ItemProcessor)) return within;
    return [
      ...within,
      ...collect(value.ItemProcessor, isDistributed(value) ? 'distributed' : 'inline', { scope, state }),
    ];
  });
  return [scope, ...inner];
}

export function isDistributed(map: RawState): boolean {
  const { ItemProcessor } = map;
  const config = isObject(ItemProcessor) ? ItemProcessor.ProcessorConfig : undefined;
  return isObject(config) && config.Mode === 'DISTRIBUTED';
}

export interface Place {
  readonly path: string;
  readonly value: string;
}

/** Fields that are not evaluated, or that are states of another scope. */
const notValues = new Set([
  'Comment',
  'Branches',
  'ItemProcessor',
  'Next',
  'Default',
  'Type',
  'Resource',
  'Label',
  'QueryLanguage',
  'ErrorEquals',
]);

/** Every string of a state that the service would look at for an expression. */
export function stringsIn(state: RawState): Place[] {
  return Object.entries(state)
    .filter(([key]) => !notValues.has(key))
    .flatMap(([key, value]) => within(value, key));
}

function within(value: unknown, path: string): Place[] {
  if (typeof value === 'string') return [{ path, value }];
  if (Array.isArray(value)) return value.flatMap((item, index) => within(item, `${path}[${index}]`));
  if (!isObject(value)) return [];
  // In choice rules and handlers the same fields are not values; in a payload any name may stand.
  const structured = /^(Choices|Catch|Retry)\[\d+\]$/.test(path);
  return Object.entries(value)
    .filter(([key]) => !(structured && notValues.has(key)))
    .flatMap(([key, item]) => within(item, `${path}/${key}`));
}

/** One way out of a state: to where, and what is assigned on it. */
export interface Edge {
  readonly to: string;
  readonly assigns: readonly string[];
}

export function edgesOf(state: RawState): Edge[] {
  const handlers = [state.Choices, state.Catch].filter(Array.isArray).flat().filter(isObject);
  const edges = handlers.map((place) => ({ to: place.Next, assigns: keysOf(place.Assign) }));
  const own = state.Type === 'Choice' ? state.Default : state.Next;
  return [...edges, { to: own, assigns: keysOf(state.Assign) }].filter(
    (edge): edge is { to: string; assigns: string[] } => typeof edge.to === 'string',
  );
}

function keysOf(value: unknown): string[] {
  return isObject(value) ? Object.keys(value) : [];
}
