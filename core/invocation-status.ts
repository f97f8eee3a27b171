/** Owns how the status words of Run Command are read: which of our states an invocation is in, and whether for good. */
import type { Invocation, InvocationStatus } from './ports.ts';

interface Reading {
  readonly status: InvocationStatus;
  readonly terminal: boolean;
}

const open = (status: InvocationStatus): Reading => ({ status, terminal: false });
const ended = (status: InvocationStatus): Reading => ({ status, terminal: true });

/** The detailed words, as listed for `StatusDetails` of CommandInvocation, without spaces and in lower case. */
const details: ReadonlyMap<string, Reading> = new Map([
  ['pending', open('pending')],
  // The service could not reach the agent yet and tries again.
  ['delayed', open('pending')],
  ['inprogress', open('in-progress')],
  ['cancelling', open('in-progress')],
  ['success', ended('succeeded')],
  ['failed', ended('failed')],
  ['executiontimedout', ended('execution-timed-out')],
  ['deliverytimedout', ended('delivery-timed-out')],
  ['undeliverable', ended('undeliverable')],
  ['invalidplatform', ended('undeliverable')],
  ['accessdenied', ended('undeliverable')],
  ['cancelled', ended('cancelled')],
  // The command reached its error limit before this server was sent anything.
  ['terminated', ended('cancelled')],
]);

/** The coarse words of `Status`, for the one that `StatusDetails` never says. */
const coarse: ReadonlyMap<string, Reading> = new Map([
  ...details,
  // Which of the two time-outs is not said, so the one that admits that the server was changed.
  ['timedout', ended('execution-timed-out')],
]);

/** AWS writes `Delivery Timed Out` and `DeliveryTimedOut`; one form, so that they compare equal. */
function plainWord(word: string): string {
  return word.replaceAll(/\s/g, '').toLowerCase();
}

/**
 * The details decide, since `Status` says TimedOut of both time-outs. A word that is in neither list is read as
 * still running: then the batch's deadline ends the job, while a guess could call a server done that is not.
 *
 * @param status `Status` of an invocation, or of the event about it, which carries no details
 * @param statusDetails `StatusDetails` of an invocation, where there is one
 */
export function readInvocationStatus(
  status: string,
  statusDetails = '',
): Pick<Invocation, 'status' | 'terminal' | 'statusDetails'> {
  const fine = plainWord(statusDetails);
  const rough = plainWord(status);
  const reading = details.get(fine) ?? coarse.get(rough) ?? open('in-progress');
  return { ...reading, statusDetails: fine || rough };
}
