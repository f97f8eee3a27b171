import { describe, expect, test } from 'vitest';
import { readInvocationStatus } from '../../core/invocation-status.ts';

describe('the status of an invocation', () => {
  test.each([
    ['Pending', 'Pending', 'pending', false],
    ['Delayed', 'Delayed', 'pending', false],
    ['InProgress', 'In Progress', 'in-progress', false],
    ['InProgress', 'InProgress', 'in-progress', false],
    ['Cancelling', 'Cancelling', 'in-progress', false],
    ['Success', 'Success', 'succeeded', true],
    ['Failed', 'Failed', 'failed', true],
    ['Failed', 'Undeliverable', 'undeliverable', true],
    ['Failed', 'Invalid Platform', 'undeliverable', true],
    ['Failed', 'Access Denied', 'undeliverable', true],
    ['Failed', 'Terminated', 'cancelled', true],
    ['TimedOut', 'Delivery Timed Out', 'delivery-timed-out', true],
    ['TimedOut', 'DeliveryTimedOut', 'delivery-timed-out', true],
    ['TimedOut', 'Execution Timed Out', 'execution-timed-out', true],
    ['Cancelled', 'Cancelled', 'cancelled', true],
    ['Success', '', 'succeeded', true],
    // Which of the two is not said: the one that admits that the server was changed.
    ['TimedOut', '', 'execution-timed-out', true],
    // Words that nobody has heard of are no end, least of all a good one.
    ['Succeeded', 'All Is Well', 'in-progress', false],
    ['', '', 'in-progress', false],
  ])('%j with details %j is %s, for good: %s', (status, details, read, terminal) => {
    expect(readInvocationStatus(status, details)).toMatchObject({ status: read, terminal });
  });

  test('keeps the finer words for people', () => {
    expect(readInvocationStatus('TimedOut', 'Delivery Timed Out').statusDetails).toBe('deliverytimedout');
    expect(readInvocationStatus('TimedOut').statusDetails).toBe('timedout');
  });
});
