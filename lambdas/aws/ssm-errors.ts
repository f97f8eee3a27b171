/** Owns how failures of SendCommand are read: whether something may have run, and what to do about it. */
import { PortError, type PortErrorCode } from '../../core/ports.ts';

const throttling: ReadonlySet<string> = new Set([
  'ThrottlingException',
  'Throttling',
  'TooManyRequestsException',
  'RequestLimitExceeded',
  // Turned away before anything ran, and the next call has fresh credentials.
  'ExpiredTokenException',
  'ExpiredToken',
  'RequestExpired',
]);

/**
 * SendCommand has no client token, so only an answer that says no proves that nothing ran. A time-out, a cut
 * connection or an error of the service itself proves nothing.
 */
export function sendError(error: unknown): PortError {
  if (error instanceof PortError) return error;
  const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) };
  return new PortError(codeOf(name, statusOf(error)), `SendCommand: ${name}: ${message}`, { cause: error });
}

function codeOf(name: string, status: number | undefined): PortErrorCode {
  if (throttling.has(name) || status === 429) return 'throttled';
  if (name === 'InvalidInstanceId') return 'invalid-servers';
  // 408: the service gave up reading the request, or says so.
  const isRefusal = status !== undefined && status >= 400 && status < 500 && status !== 408;
  return isRefusal ? 'refused' : 'ambiguous';
}

/** Of the HTTP answer; undefined when there was none. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return undefined;
  const metadata = error.$metadata;
  if (typeof metadata !== 'object' || metadata === null || !('httpStatusCode' in metadata)) return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}

/** Said by STS of a role that may not be assumed, and by SSM of what its policies do not allow. */
export function isDenied(error: unknown): error is Error {
  return isNamed(error, 'AccessDenied', 'AccessDeniedException');
}

export function isNamed(error: unknown, ...names: readonly string[]): boolean {
  return error instanceof Error && names.includes(error.name);
}
