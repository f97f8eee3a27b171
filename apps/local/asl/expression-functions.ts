/** Owns the functions that Step Functions adds to JSONata, and those of JSONata's own that read a clock or dice. */
import { createHash } from 'node:crypto';
import jsonata from 'jsonata';

/** Where expressions get time and chance from, so that a run can be repeated. */
export interface ExpressionWorld {
  /** Epoch milliseconds. */
  now(): number;
  /** In [0, 1). */
  random(): number;
}

/** JSONata 2.0.6's own, less `$eval`, which Step Functions does not offer. */
const own =
  'sum count max min average string substring substringBefore substringAfter lowercase uppercase length trim pad match contains replace split join formatNumber formatBase formatInteger parseInteger number floor ceil round abs sqrt power random boolean not map zip filter single reduce sift keys lookup append exists spread merge reverse each error assert type sort shuffle distinct base64encode base64decode encodeUrlComponent encodeUrl decodeUrlComponent decodeUrl toMillis fromMillis clone now millis';
const added = 'partition range hash uuid parse';

export const functionNames: ReadonlySet<string> = new Set(`${own} ${added}`.split(' '));

const hashes: Readonly<Record<string, string>> = {
  MD5: 'md5',
  'SHA-1': 'sha1',
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
};

/** The longest array that the service's `$range` was seen to build before it refused. */
const rangeLimit = 360_145;

/** An array that JSONata treats as its own result sequence: empty is nothing, a single one is that one. */
function sequence<T>(items: T[]): T[] {
  return Object.defineProperty(items, 'sequence', { value: true, enumerable: false });
}

function partition(items: unknown[] | undefined, size?: number): unknown[][] | undefined {
  if (!items || items.length === 0) return undefined;
  const chunk = size === undefined ? items.length : Math.trunc(size);
  if (chunk < 0) throw new Error('D3137: second argument of $partition must be zero or greater');
  if (chunk === 0) return undefined;
  const chunks: unknown[][] = [];
  for (let start = 0; start < items.length; start += chunk) chunks.push(items.slice(start, start + chunk));
  return chunks;
}

function range(first?: number, last?: number, step?: number): number[] | undefined {
  if (first === undefined || last === undefined || step === undefined) return undefined;
  const [from, to, by] = [Math.trunc(first), Math.trunc(last), Math.trunc(step)];
  if (by === 0 || (to - from) * by < 0) return undefined;
  const count = Math.floor((to - from) / by) + 1;
  if (count > rangeLimit) {
    throw new Error('expression evaluation memory limit exceeded: check for excessive memory usage');
  }
  return sequence(Array.from({ length: count }, (_, index) => from + index * by));
}

function hash(text?: string, algorithm?: string): string | undefined {
  if (text === undefined || algorithm === undefined) return undefined;
  const name = hashes[algorithm];
  if (!name) {
    throw new Error(`D3137: $hash knows ${Object.keys(hashes).join(', ')}, and not ${algorithm}`);
  }
  return createHash(name).update(text, 'utf8').digest('hex');
}

function parse(text?: string): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('D3137: the argument of $parse is not JSON');
  }
}

/** A version 4 UUID from the given dice. */
export function uuid(random: () => number): string {
  const bytes = Uint8Array.from({ length: 16 }, () => Math.floor(random() * 256));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Buffer.from(bytes).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** One number from a seed: equal seeds give equal numbers, as the service promises of `$random(seed)`. */
function seeded(seed: number): number {
  const digest = createHash('sha256')
    .update(String(Math.trunc(seed)))
    .digest();
  return digest.readUInt32BE(0) / 2 ** 32;
}

function shuffle(items: unknown[] | undefined, random: () => number): unknown[] | undefined {
  if (!items || items.length <= 1) return items;
  const result = [...items];
  for (let last = result.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [result[last], result[other]] = [result[other], result[last]];
  }
  return result;
}

// JSONata exports no formatter, so its own `$fromMillis` is asked.
const format = jsonata('$fromMillis($millis, $picture, $zone)');

export function addFunctions(expression: jsonata.Expression, world: ExpressionWorld): void {
  expression.registerFunction('partition', partition, '<an?:a<a>>');
  expression.registerFunction('range', range, '<nnn?:a<n>>');
  expression.registerFunction('hash', hash, '<s-s:s>');
  expression.registerFunction('parse', parse, '<s-:x>');
  expression.registerFunction('uuid', () => uuid(world.random), '<:s>');
  expression.registerFunction(
    'random',
    (seed?: number) => (seed === undefined ? world.random() : seeded(seed)),
    '<n?:n>',
  );
  expression.registerFunction('shuffle', (items?: unknown[]) => shuffle(items, world.random), '<a:a>');
  expression.registerFunction('millis', () => world.now(), '<:n>');
  expression.registerFunction(
    'now',
    (picture?: string, zone?: string) => format.evaluate(undefined, { millis: world.now(), picture, zone }),
    '<s?s?:s>',
  );
}
