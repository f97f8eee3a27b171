/** Owns the value that travels between states: plain JSON, measured in the bytes that Step Functions counts. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** Step Functions' quota for a payload, a task's result and the variables that one state assigns. */
export const payloadLimit = 262_144;

export function byteSize(value: Json): number {
  return Buffer.byteLength(JSON.stringify(value), 'utf8');
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Copies `value` into plain JSON, as a trip through the service would. JSONata marks its arrays (a one-element
 * sequence collapses the next time that it is read), so a value that was not copied would change its meaning.
 * Returns the place of the first thing that JSON has no word for instead of dropping it in silence.
 */
export function toJson(
  value: unknown,
  path = '',
): { ok: true; value: Json } | { ok: false; path: string; found: string } {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return { ok: true, value };
  if (typeof value === 'number') {
    return Number.isFinite(value) ? { ok: true, value } : { ok: false, path, found: String(value) };
  }
  if (Array.isArray(value)) {
    const copy: Json[] = [];
    for (const [index, item] of value.entries()) {
      const result = toJson(item, `${path}/${index}`);
      if (!result.ok) return result;
      copy.push(result.value);
    }
    return { ok: true, value: copy };
  }
  // JSONata's own functions and lambdas are objects that carry these marks.
  if (!isObject(value) || '_jsonata_lambda' in value || '_jsonata_function' in value) {
    return { ok: false, path, found: value === undefined ? 'undefined' : 'function' };
  }
  const copy: JsonObject = {};
  for (const [key, item] of Object.entries(value)) {
    // As in JSON.stringify, a member whose value is undefined is a member that is not there.
    if (item === undefined) continue;
    const result = toJson(item, `${path}/${key}`);
    if (!result.ok) return result;
    Object.defineProperty(copy, key, {
      value: result.value,
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return { ok: true, value: copy };
}
