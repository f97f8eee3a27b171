/** Writes the indexes of an RPM repository: packages, advisories, groups, and the list of them all. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { type PackageDescription, relationOf, versionParts } from './package-description.ts';
import { providesOf, type RpmFile } from './rpm-file.ts';

export interface Advisory {
  /** `RLSA-2026:0007`, `openSUSE-2026-7`. */
  readonly id: string;
  /** `enhancement` and `bugfix` are what zypper calls optional and recommended. */
  readonly type: 'security' | 'bugfix' | 'enhancement';
  readonly severity?: 'Critical' | 'Important' | 'Moderate' | 'Low';
  readonly title?: string;
  readonly cves?: readonly string[];
  /** Names among the packages that it was published with. */
  readonly packages: readonly string[];
  readonly rebootSuggested?: boolean;
  /** That the package manager itself has to run again after it, zypper's exit code 103. */
  readonly restartSuggested?: boolean;
}

export interface PackageGroup {
  readonly id: string;
  readonly name: string;
  readonly packages: readonly string[];
}

/** A package as a repository has it. */
export interface PublishedRpm {
  readonly spec: PackageDescription;
  readonly rpm: RpmFile;
}

/** An advisory with the packages it was published with, which stay its own when newer ones follow. */
export interface PublishedAdvisory {
  readonly advisory: Advisory;
  readonly packages: readonly PublishedRpm[];
}

const OPERATORS = { '<': 'LT', '<=': 'LE', '=': 'EQ', '>=': 'GE', '>': 'GT' } as const;
const HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n';

const sha256 = (content: Buffer | string) => createHash('sha256').update(content).digest('hex');

function escaped(text: string): string {
  const names: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replaceAll(/[&<>"]/g, (character) => names[character] ?? character);
}

const seconds = (at: Date) => Math.floor(at.getTime() / 1000);

function relations(tag: string, texts: readonly string[]): string {
  const entries = texts.map((text) => {
    const { name, operator, version } = relationOf(text);
    const { epoch, version: ver, release } = versionParts(version);
    const at = operator
      ? ` flags="${OPERATORS[operator]}" epoch="${epoch}" ver="${escaped(ver)}"${release ? ` rel="${escaped(release)}"` : ''}`
      : '';
    return `<rpm:entry name="${escaped(name)}"${at}/>`;
  });
  return entries.length > 0 ? `<rpm:${tag}>${entries.join('')}</rpm:${tag}>` : '';
}

const versionOf = ({ epoch = 0, version, release = '1' }: PackageDescription) =>
  `epoch="${epoch}" ver="${escaped(version)}" rel="${escaped(release)}"`;

/** What primary metadata lists of a package's files, so that others can depend on them. */
const PRIMARY_FILE = /^\/(etc\/|usr\/(s?bin)\/|bin\/|sbin\/|usr\/lib\/sendmail$)/;

const fileList = (paths: readonly string[]) => paths.map((path) => `<file>${escaped(path)}</file>`).join('');

function primary(packages: readonly PublishedRpm[], at: Date, vendor: string): string {
  const entries = packages.map(({ spec, rpm }) => {
    const { start, end } = rpm.headerRange;
    const description = escaped(spec.description ?? `${spec.name}, made for this fleet`);
    return `<package type="rpm"><name>${escaped(spec.name)}</name><arch>${rpm.architecture}</arch>
<version ${versionOf(spec)}/><checksum type="sha256" pkgid="YES">${sha256(rpm.content)}</checksum>
<summary>${description}</summary><description>${description}</description><packager/><url/>
<time file="${seconds(at)}" build="${seconds(at)}"/>
<size package="${rpm.content.length}" installed="${rpm.installedSize}" archive="${rpm.archiveSize}"/>
<location href="Packages/${escaped(rpm.fileName)}"/>
<format><rpm:license>Apache-2.0</rpm:license><rpm:vendor>${escaped(spec.vendor ?? vendor)}</rpm:vendor>
<rpm:group>Unspecified</rpm:group><rpm:buildhost>fleet</rpm:buildhost>
<rpm:sourcerpm>${escaped(`${spec.name}-${spec.version}-${spec.release ?? '1'}.src.rpm`)}</rpm:sourcerpm>
<rpm:header-range start="${start}" end="${end}"/>
${relations('provides', providesOf(spec))}${relations('requires', spec.requires ?? [])}
${relations('conflicts', spec.conflicts ?? [])}${relations('obsoletes', spec.obsoletes ?? [])}
${fileList(Object.keys(spec.files ?? {}).filter((path) => PRIMARY_FILE.test(path)))}</format></package>\n`;
  });
  return `${HEAD}<metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="${packages.length}">\n${entries.join('')}</metadata>\n`;
}

function perPackage(
  kind: 'filelists' | 'other',
  packages: readonly PublishedRpm[],
  body: (published: PublishedRpm) => string,
): string {
  const entries = packages.map(
    (published) =>
      `<package pkgid="${sha256(published.rpm.content)}" name="${escaped(published.spec.name)}" arch="${published.rpm.architecture}"><version ${versionOf(published.spec)}/>${body(published)}</package>\n`,
  );
  const tag = kind === 'other' ? 'otherdata' : kind;
  return `${HEAD}<${tag} xmlns="http://linux.duke.edu/metadata/${kind}" packages="${packages.length}">\n${entries.join('')}</${tag}>\n`;
}

/** SUSE writes its own word for a bug fix. */
const kindOf = (type: Advisory['type'], suse: boolean) =>
  suse && type !== 'security' ? (type === 'bugfix' ? 'recommended' : 'optional') : type;

function updateInfo(advisories: readonly PublishedAdvisory[], at: Date, suse: boolean): string {
  const date = at.toISOString().slice(0, 19).replace('T', ' ');
  const entries = advisories.map(({ advisory, packages }) => {
    const { id, type, severity, title = id, cves = [] } = advisory;
    const references = cves.map(
      (cve) => `<reference href="" id="${escaped(cve)}" type="cve" title="${escaped(cve)}"/>`,
    );
    const suggested =
      (advisory.rebootSuggested ? '<reboot_suggested>True</reboot_suggested>' : '') +
      (advisory.restartSuggested ? '<restart_suggested>True</restart_suggested>' : '');
    const files = packages.map(
      ({ spec, rpm }) =>
        `<package name="${escaped(spec.name)}" version="${escaped(spec.version)}" release="${escaped(spec.release ?? '1')}" epoch="${spec.epoch ?? 0}" arch="${rpm.architecture}" src="${escaped(spec.name)}.src.rpm"><filename>${escaped(rpm.fileName)}</filename>${suggested}</package>`,
    );
    return `<update from="fleet@example.invalid" status="final" type="${kindOf(type, suse)}" version="1"><id>${escaped(id)}</id><title>${escaped(title)}</title><issued date="${date}"/><updated date="${date}"/>${severity ? `<severity>${suse ? severity.toLowerCase() : severity}</severity>` : ''}<description>${escaped(title)}</description><references>${references.join('')}</references><pkglist><collection short="fleet"><name>fleet</name>${files.join('')}</collection></pkglist></update>\n`;
  });
  return `${HEAD}<updates>\n${entries.join('')}</updates>\n`;
}

function groupsFile(groups: readonly PackageGroup[]): string {
  const entries = groups.map(
    ({ id, name, packages }) =>
      `<group><id>${escaped(id)}</id><name>${escaped(name)}</name><description>${escaped(name)}</description><default>false</default><uservisible>true</uservisible><packagelist>${packages.map((member) => `<packagereq type="mandatory">${escaped(member)}</packagereq>`).join('')}</packagelist></group>\n`,
  );
  return `${HEAD}<!DOCTYPE comps PUBLIC "-//Red Hat, Inc.//DTD Comps info//EN" "comps.dtd">\n<comps>\n${entries.join('')}</comps>\n`;
}

export interface RepositoryContent {
  readonly packages: readonly PublishedRpm[];
  readonly advisories: readonly PublishedAdvisory[];
  readonly groups: readonly PackageGroup[];
  readonly vendor: string;
  /** Whether hosts of it speak of patches as zypper does. */
  readonly suse: boolean;
  readonly at: Date;
  /** Raised with every generation. */
  readonly revision: number;
}

/** All files below `repodata`, by name; what signs `repomd.xml` comes on top. */
export function rpmMetadata(content: RepositoryContent): ReadonlyMap<string, Buffer> {
  const { packages, advisories, groups, at } = content;
  const files = new Map<string, Buffer>();
  const data: string[] = [];
  const add = (type: string, text: string) => {
    const plain = Buffer.from(text);
    const packed = gzipSync(plain);
    // Named by its content, so that a repository that moves on never contradicts what a host has just read.
    const name = `${sha256(packed)}-${type}.xml.gz`;
    files.set(name, packed);
    data.push(
      `<data type="${type}"><checksum type="sha256">${sha256(packed)}</checksum><open-checksum type="sha256">${sha256(plain)}</open-checksum><location href="repodata/${name}"/><timestamp>${seconds(at)}</timestamp><size>${packed.length}</size><open-size>${plain.length}</open-size></data>\n`,
    );
  };
  add('primary', primary(packages, at, content.vendor));
  add(
    'filelists',
    perPackage('filelists', packages, ({ spec }) => fileList(Object.keys(spec.files ?? {}))),
  );
  add(
    'other',
    perPackage('other', packages, () => ''),
  );
  if (advisories.length > 0) add('updateinfo', updateInfo(advisories, at, content.suse));
  if (groups.length > 0) add('group_gz', groupsFile(groups));
  const index = `${HEAD}<repomd xmlns="http://linux.duke.edu/metadata/repo" xmlns:rpm="http://linux.duke.edu/metadata/rpm">\n<revision>${content.revision}</revision>\n${data.join('')}</repomd>\n`;
  files.set('repomd.xml', Buffer.from(index));
  return files;
}
