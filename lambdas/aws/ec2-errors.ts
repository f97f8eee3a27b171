/** Owns how failures of EC2's calls are read: whether something may have been made, and what to do about it. */
import { PortError, type PortErrorCode } from '../../core/ports.ts';
import { statusOf } from './ssm-errors.ts';

/** EC2 answers the first with 503, so the name is looked at before the status. */
const throttling: ReadonlySet<string> = new Set([
  'RequestLimitExceeded',
  'Throttling',
  'ThrottlingException',
  // Of these a later call finds room again; SnapshotLimitExceeded, the account's quota, is none of them.
  'ConcurrentSnapshotLimitExceeded',
  'PendingSnapshotLimitExceeded',
  // And with fresh credentials, after which nobody has to be told.
  'RequestExpired',
  'ExpiredToken',
]);

/** @param call as AWS names it, for the message */
export function ec2Error(call: string, error: unknown): PortError {
  if (error instanceof PortError) return error;
  const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) };
  return new PortError(codeOf(name, statusOf(error)), `${call}: ${name}: ${message}`, { cause: error });
}

function codeOf(name: string, status: number | undefined): PortErrorCode {
  // SnapshotCreationPerVolumeRateExceeded, and whatever else has a rate.
  if (throttling.has(name) || name.endsWith('RateExceeded') || status === 429) return 'throttled';
  const isRefusal = status !== undefined && status >= 400 && status < 500 && status !== 408;
  return isRefusal ? 'refused' : 'ambiguous';
}

/** `InvalidSnapshot.NotFound`, and their like of instances and tasks. */
export function isNotFound(error: unknown): boolean {
  return error instanceof Error && /\.NotFound$/.test(error.name);
}
