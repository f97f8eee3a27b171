import { readdirSync, readFileSync } from 'node:fs';
import aslValidator from 'asl-validator';
import { describe, expect, it } from 'vitest';
import { lintDefinition } from '../../apps/local/asl/lint.ts';
import { simulate } from '../apps/local/asl/simulated-engine.ts';

const folder = new URL('../../state-machines/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.asl.json'));

it('there are definitions to look at', () => {
  expect(files).not.toEqual([]);
});

describe.each(files)('%s', (file) => {
  const text = readFileSync(new URL(file, folder), 'utf8');
  const definition = () => JSON.parse(text);

  it('is valid Amazon States Language', () => {
    const { errorsText } = aslValidator(definition());
    expect(errorsText()).toBe('');
  });

  it('has no lint findings', () => {
    expect(lintDefinition(definition())).toEqual([]);
  });

  it('fits the service: one mebibyte at most', () => {
    expect(Buffer.byteLength(text, 'utf8')).toBeLessThan(1024 * 1024);
  });

  it('loads in the engine once its tokens are replaced', () => {
    const tokens = [...text.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => [name, `arn:${name}`]);
    const { engine } = simulate();
    expect(() => engine.load('m', definition(), Object.fromEntries(tokens))).not.toThrow();
  });
});
