/** Owns which findings of cfn-lint are let pass, each with its reason; one that nothing matches any more must go. */

export interface Finding {
  readonly rule: string;
  /** `Resources/PatchingKey/Properties`. */
  readonly path: string;
  readonly message: string;
}

interface Ignored {
  readonly rule: string;
  /** Of the path, where not every finding of the rule is meant. */
  readonly path?: RegExp;
  readonly reason: string;
}

export const ignoredFindings: readonly Ignored[] = [
  {
    rule: 'W3005',
    path: /^Resources\/\w+\/DependsOn\//,
    reason:
      'CDK writes out what a resource waits for, although a reference says it as well: twice does no harm',
  },
  { rule: 'I1022', reason: 'CDK joins strings by Fn::Join where a person would write Fn::Sub' },
  {
    rule: 'I4010',
    reason: 'Metadata that describes the architecture to readers of the template: docs/adr does it here',
  },
  {
    rule: 'I3013',
    path: /^Resources\/\w*EventsQueue\w+\/Properties$/,
    reason: 'Four days, the default, is many times longer than any event of a command is of use',
  },
];

/** What nobody has given a reason for, and the reasons that nothing needs. */
export function sift(findings: readonly Finding[], ignored: readonly Ignored[]) {
  const matches = (entry: Ignored, { rule, path }: Finding) =>
    entry.rule === rule && (entry.path === undefined || entry.path.test(path));
  return {
    unexplained: findings.filter((finding) => !ignored.some((entry) => matches(entry, finding))),
    stale: ignored.filter((entry) => !findings.some((finding) => matches(entry, finding))),
  };
}
