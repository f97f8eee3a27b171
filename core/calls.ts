/** Owns what people ask of Quarterdeck, whoever answers: functions on AWS, or this machine on a state of its own. */

/** A function each, of the same name. */
export const callNames = [
  'import-servers',
  'sync-servers',
  'set-schedule',
  'show-calendar',
  'ask-zones',
  'show-zones',
  'plan-schedules',
  'pause-all',
  'resume-all',
  'show-backups',
  'verify-backups',
  'test-restores',
  'request-reboot',
  'cancel-reboot',
  'show-reboot',
  'request-root-volume',
  'decide-root-volume',
  'stop-campaign',
  'decide-approval',
  'roll-back',
  'show-rollback',
] as const;
export type CallName = (typeof callNames)[number];

/** Input and answer are plain JSON; who asks checks the answer. */
export interface Backend {
  /** @throws Refused */
  call(name: CallName, input: unknown): Promise<unknown>;
  close(): Promise<void>;
}

/** Nothing was changed, for a reason that whoever asked can mend: the message says which, and how. */
export class Refused extends Error {
  /** Stable, kebab-case. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'Refused';
    this.code = code;
  }
}

/** Lambda's longest name. */
const longest = 64;

/**
 * The name of a function that people call, so that a role may be given the right on it before the stack is there.
 *
 * @param stack its name; cut where both together are too long
 */
export function functionNameIn(stack: string, name: string): string {
  return `${stack.slice(0, longest - 1 - name.length)}-${name}`;
}
