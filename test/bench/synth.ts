/** Measures the stack: how long it takes to make, and how near it is to the limits of a template. */
import { exampleConfiguration, synthesise } from '../support/synthesise.ts';
import type { Bench } from './bench.ts';

export const synthBench: Bench = {
  name: 'synth',
  async run() {
    const begun = performance.now();
    const { stacks } = synthesise(exampleConfiguration());
    const seconds = (performance.now() - begun) / 1000;
    const resources = stacks.map(({ resources }) => Object.keys(resources).length);
    return [
      // Bundling is a second for each function on top, and apart in the bench of bundles.
      { what: 'stacks and rules, without bundling', value: seconds, unit: 's', atMost: 30 },
      {
        what: 'largest template',
        value: Math.max(...stacks.map(({ text }) => text.length)) / 1000,
        unit: 'KB',
        atMost: 700,
      },
      {
        what: 'resources of the largest stack',
        value: Math.max(...resources),
        unit: 'resources',
        atMost: 300,
      },
    ];
  },
};
