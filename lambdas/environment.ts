/** Owns the environment variables of the functions: their names, and reading them so that what is missing is named. */

export const environmentNames = {
  stateTable: 'STATE_TABLE',
  campaignBucket: 'CAMPAIGN_BUCKET',
  campaignBucketRegion: 'CAMPAIGN_BUCKET_REGION',
  backupBucket: 'BACKUP_BUCKET',
  noticeTopic: 'NOTICE_TOPIC_ARN',
  stateMachine: 'STATE_MACHINE_ARN',
  /** `key=value`: only servers that carry this tag are ever seen. */
  optInTag: 'OPT_IN_TAG',
  /** Role that is assumed in other accounts; empty where there are none. */
  memberRole: 'MEMBER_ROLE_NAME',
  /** Key of the object in the campaign bucket that holds the settings: policies, places, names of tags. */
  policies: 'POLICIES_KEY',
  /** Name of the group that the schedules of campaigns are in. */
  scheduleGroup: 'SCHEDULE_GROUP',
  /** ARN of the function that they call. */
  scheduleTarget: 'SCHEDULE_TARGET_ARN',
  /** ARN of the role with which they call it. */
  scheduleRole: 'SCHEDULE_ROLE_ARN',
  /** ARN of the queue for calls that were given up. */
  scheduleDeadLetters: 'SCHEDULE_DEAD_LETTERS_ARN',
  /** JSON: hash over the content of each document, `documentContentHash`, by its name with the prefix. */
  documentHashes: 'DOCUMENT_HASHES',
} as const;

export type EnvironmentKey = keyof typeof environmentNames;

/** May be empty, but must be there: a variable that was forgotten is not one that was left empty on purpose. */
const mayBeEmpty: ReadonlySet<EnvironmentKey> = new Set(['memberRole']);

export type Environment<Key extends EnvironmentKey> = { readonly [key in Key]: string };

/** @throws Error that names every variable that is missing */
export function readEnvironment<Key extends EnvironmentKey>(
  keys: readonly Key[],
  variables: Readonly<Record<string, string | undefined>> = process.env,
): Environment<Key> {
  const missing = keys.filter((key) => {
    const value = variables[environmentNames[key]];
    return value === undefined || (value === '' && !mayBeEmpty.has(key));
  });
  if (missing.length > 0) {
    const names = missing.map((key) => environmentNames[key]).join(', ');
    throw new Error(`environment variables are missing: ${names}: the stack sets them with its grants`);
  }
  const values = keys.map((key) => [key, variables[environmentNames[key]]] as const);
  return Object.fromEntries(values) as Environment<Key>;
}
