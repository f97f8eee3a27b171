/** Owns `${Token}` in a definition: what CDK's definitionSubstitutions replaces at deployment, replaced at load. */
import { isObject } from './json.ts';

const token = /\$\{([A-Za-z0-9_.:-]+)\}/g;

/** Returns the definition with every token replaced, and the tokens for which there was no value. */
export function substitute(
  definition: unknown,
  values: Readonly<Record<string, string>>,
): { definition: unknown; missing: string[] } {
  const missing = new Set<string>();
  const text = (value: string) =>
    value.replace(token, (whole, name: string) => {
      if (Object.hasOwn(values, name)) return values[name] ?? whole;
      missing.add(name);
      return whole;
    });
  const walk = (value: unknown): unknown => {
    if (typeof value === 'string') return text(value);
    if (Array.isArray(value)) return value.map(walk);
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [text(key), walk(item)]));
  };
  return { definition: walk(definition), missing: [...missing] };
}
