/** Describes synthetic packages in words that fit every family, so that one list can be built as RPM and Arch packages. */

interface DescribedFile {
  readonly content: string | Buffer;
  /** Permission bits; 0o644 when left out. */
  readonly mode?: number;
  /** Whether an operator's change to it must survive an upgrade. */
  readonly config?: boolean;
}

/** Shell texts, without the first line; a failing one is up to the family's package manager. */
export interface DescribedScripts {
  /** On RPM hosts `$1` is how many versions there will be: 1 on an installation, 2 on an upgrade. */
  readonly beforeInstall?: string;
  readonly afterInstall?: string;
  readonly beforeRemove?: string;
  readonly afterRemove?: string;
}

/** What is left out takes a plain default. */
export interface PackageDescription {
  readonly name: string;
  /** Upstream's version, `2.4.57`. */
  readonly version: string;
  /** `1` when left out. */
  readonly release?: string;
  readonly epoch?: number;
  /** `any` when left out; `i686` is the foreign half of a multilib pair, on RPM hosts only. */
  readonly architecture?: 'any' | 'native' | 'i686';
  readonly description?: string;
  readonly vendor?: string;
  /** By absolute path. */
  readonly files?: Readonly<Record<string, DescribedFile>>;
  readonly scripts?: DescribedScripts;
  /** Relations: a name, or `name >= 1.2-1` with one of `<`, `<=`, `=`, `>=`, `>`. */
  readonly requires?: readonly string[];
  readonly provides?: readonly string[];
  readonly conflicts?: readonly string[];
  /** Names that this takes the place of: Obsoletes, and on Arch replaces with conflicts and provides. */
  readonly obsoletes?: readonly string[];
  /** Bytes that it claims to take once installed, where that is not what its files have. */
  readonly installedSize?: number;
  /** Groups of an Arch package; RPM repositories have theirs in a file of their own. */
  readonly groups?: readonly string[];
}

export interface Relation {
  readonly name: string;
  readonly operator: '<' | '<=' | '=' | '>=' | '>' | undefined;
  /** `[epoch:]version[-release]`; empty without an operator. */
  readonly version: string;
}

export function relationOf(text: string): Relation {
  const [, name, operator, version] = /^(\S+?)(?:\s*(<=|>=|<|=|>)\s*(\S+))?$/.exec(text) ?? [];
  if (!name) throw new Error(`relation "${text}" is not understood: write "name" or "name >= 1.2-1"`);
  return { name, operator: operator as Relation['operator'], version: version ?? '' };
}

/** The epoch, version and release of `[epoch:]version[-release]`. */
export function versionParts(text: string): { epoch: string; version: string; release: string | undefined } {
  const [, epoch = '0', version = '', release] = /^(?:(\d+):)?([^-]*)(?:-(.+))?$/.exec(text) ?? [];
  return { epoch, version, release };
}

/** `[epoch:]version-release` of a package. */
export function fullVersion({ epoch, version, release = '1' }: PackageDescription): string {
  return `${epoch ? `${epoch}:` : ''}${version}-${release}`;
}
