import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type BilledUnit, listCost, listPrices } from '../../core/list-price.ts';

test('a million of each costs what the price lists say', () => {
  const million = (unit: BilledUnit) => listCost({ [unit]: 1_000_000 }).total;
  expect(million('state-transitions')).toBeCloseTo(25, 9);
  expect(million('lambda-requests')).toBeCloseTo(0.2, 9);
  expect(million('lambda-gb-seconds')).toBeCloseTo(13.3334, 9);
  expect(million('dynamodb-write-units')).toBeCloseTo(0.625, 9);
  expect(million('dynamodb-read-units')).toBeCloseTo(0.125, 9);
  expect(million('s3-puts')).toBeCloseTo(5, 9);
  expect(million('s3-gets')).toBeCloseTo(0.4, 9);
  expect(million('eventbridge-events')).toBeCloseTo(1, 9);
  expect(million('scheduler-invocations')).toBeCloseTo(1, 9);
  expect(million('sqs-requests')).toBeCloseTo(0.4, 9);
  expect(million('sns-publishes')).toBeCloseTo(0.5, 9);
  expect(million('sns-emails')).toBeCloseTo(20, 9);
});

test('lines come dearest first, sum up to the total, and leave out what was not used', () => {
  const cost = listCost({ 's3-gets': 1000, 'state-transitions': 1000, 'sns-emails': 0, 's3-puts': 1000 });
  expect(cost.lines.map(({ name, count }) => [name, count])).toEqual([
    ['state-transitions', 1000],
    ['s3-puts', 1000],
    ['s3-gets', 1000],
  ]);
  expect(cost.total).toBeCloseTo(0.025 + 0.005 + 0.0004, 9);
  expect(cost.lines[1]).toMatchObject({ service: 'S3', unit: 'PUT or LIST', total: 0.005 });
  expect(listCost({})).toEqual({ total: 0, lines: [] });
});

test('costs add up: two campaigns cost what both counts together cost', () => {
  const counts = fc.dictionary(fc.constantFrom(...(Object.keys(listPrices) as BilledUnit[])), fc.nat(1e9));
  fc.assert(
    fc.property(counts, counts, (one, two) => {
      const both = { ...one };
      for (const [unit, count] of Object.entries(two)) both[unit] = (both[unit] ?? 0) + count;
      expect(listCost(both).total).toBeCloseTo(listCost(one).total + listCost(two).total, 6);
    }),
  );
});

test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('a count of %d is an error', (count) => {
  expect(() => listCost({ 's3-puts': count })).toThrow(`s3-puts counts ${count}: nothing is charged so`);
});
