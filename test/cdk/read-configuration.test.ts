import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { exampleFile, readConfiguration } from '../../cdk/read-configuration.ts';

const root = join(import.meta.dirname, '../..');
const home = "schema: 1\nhome: {account: '111111111111', region: eu-central-1}\n";

describe('the configuration of a deployment', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'quarterdeck-configuration-'));
    copyFileSync(join(root, exampleFile), join(folder, exampleFile));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('is the example where there is no other, and says so', () => {
    const notes: string[] = [];
    expect(readConfiguration(folder, undefined, (note) => notes.push(note)).name).toBe('Quarterdeck');
    expect(notes).toEqual([expect.stringContaining('there is no quarterdeck.yaml')]);
  });

  test('is quarterdeck.yaml where it is there, without a word', () => {
    writeFileSync(join(folder, 'quarterdeck.yaml'), `${home}name: Patching\nenvironments: {dev: {}}\n`);
    const notes: string[] = [];
    expect(readConfiguration(folder, undefined, (note) => notes.push(note)).name).toBe('Patching');
    expect(notes).toEqual([]);
  });

  test('is the file that was asked for', () => {
    writeFileSync(join(folder, 'quarterdeck.yaml'), 'nonsense');
    writeFileSync(join(folder, 'other.yaml'), `${home}name: Other\nenvironments: {dev: {}}\n`);
    expect(readConfiguration(folder, 'other.yaml').name).toBe('Other');
  });

  test('that is wrong is refused with all that is wrong, by file and line', () => {
    writeFileSync(join(folder, 'quarterdeck.yaml'), `${home}environments: {dev: {mod: all}}\nregion: x\n`);
    expect(() => readConfiguration(folder)).toThrow(
      [
        'quarterdeck.yaml:3: environments.dev.mod is not a key of the configuration: did you mean mode?',
        'quarterdeck.yaml:4: region is not a key of the configuration: keys here are schema',
      ].join('\n'),
    );
  });
});
