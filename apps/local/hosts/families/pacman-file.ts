/** Makes Arch packages out of a description, without makepkg. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { type TarEntry, tarArchive } from '../tar-archive.ts';
import {
  type DescribedScripts,
  fullVersion,
  type PackageDescription,
  relationOf,
} from './package-description.ts';
import { rpmArchitecture } from './rpm-file.ts';

export interface PacmanFile {
  /** `name-version-release-architecture.pkg.tar.gz`. */
  readonly fileName: string;
  readonly architecture: string;
  readonly content: Buffer;
  readonly installedSize: number;
}

const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');

/** Relations as Arch writes them, `name>=1.2`. */
export function pacmanRelation(text: string): string {
  const { name, operator, version } = relationOf(text);
  return `${name}${operator ?? ''}${version}`;
}

const FUNCTIONS: Record<keyof DescribedScripts, readonly string[]> = {
  beforeInstall: ['pre_install', 'pre_upgrade'],
  afterInstall: ['post_install', 'post_upgrade'],
  beforeRemove: ['pre_remove'],
  afterRemove: ['post_remove'],
};

function installScript(scripts: DescribedScripts): string {
  return Object.entries(scripts)
    .flatMap(([name, text]) =>
      FUNCTIONS[name as keyof DescribedScripts].map((word) => `${word}() {\n${text}\n}\n`),
    )
    .join('');
}

/** Escapes as mtree wants it: everything but plain characters in octal. */
const mtreePath = (path: string) =>
  path.replaceAll(/[^\w./@+-]/g, (character) =>
    [...Buffer.from(character)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join(''),
  );

function mtree(entries: readonly TarEntry[], modified: number): Buffer {
  const lines = entries.map(
    ({ path, content, mode }) =>
      `./${mtreePath(path)} time=${modified}.0 mode=${mode.toString(8)} size=${content.length} type=file sha256digest=${sha256(content)}\n`,
  );
  const folders = new Set(
    entries.flatMap(({ path }) => {
      const parts = path.split('/').slice(0, -1);
      return parts.map((_, depth) => parts.slice(0, depth + 1).join('/'));
    }),
  );
  const parents = [...folders]
    .sort()
    .map((path) => `./${mtreePath(path)} time=${modified}.0 mode=755 type=dir\n`);
  return gzipSync(`#mtree\n/set type=file uid=0 gid=0 mode=644\n${parents.join('')}${lines.join('')}`);
}

/** @param modified epoch seconds written on every file */
export function buildPacmanPackage(spec: PackageDescription, modified: number): PacmanFile {
  if (spec.architecture === 'i686')
    throw new Error(`package "${spec.name}" is for i686, which Arch has not: describe it as native`);
  const architecture = spec.architecture === 'native' ? rpmArchitecture() : 'any';
  const files = Object.entries(spec.files ?? {});
  const data: TarEntry[] = files.map(([path, file]) => ({
    path: path.replace(/^\//, ''),
    content: Buffer.from(file.content),
    mode: file.mode ?? 0o644,
  }));
  const installedSize = spec.installedSize ?? data.reduce((sum, { content }) => sum + content.length, 0);
  const fields: [string, string | readonly string[] | undefined][] = [
    ['pkgname', spec.name],
    ['pkgbase', spec.name],
    ['xdata', 'pkgtype=pkg'],
    ['pkgver', fullVersion(spec)],
    ['pkgdesc', spec.description ?? `${spec.name}, a package made for this fleet`],
    ['url', 'https://example.invalid'],
    ['builddate', String(modified)],
    ['packager', spec.vendor ?? 'Quarterdeck <quarterdeck@example.invalid>'],
    ['size', String(installedSize)],
    ['arch', architecture],
    ['license', 'Apache-2.0'],
    ['replaces', (spec.obsoletes ?? []).map(pacmanRelation)],
    ['group', spec.groups],
    ['conflict', [...(spec.conflicts ?? []), ...(spec.obsoletes ?? [])].map(pacmanRelation)],
    ['provides', [...(spec.provides ?? []), ...(spec.obsoletes ?? []).map(nameOf)].map(pacmanRelation)],
    ['backup', files.flatMap(([path, { config }]) => (config ? [path.replace(/^\//, '')] : []))],
    ['depend', (spec.requires ?? []).map(pacmanRelation)],
  ];
  const info = fields
    .flatMap(([name, value]) => [value ?? []].flat().map((text) => `${name} = ${text}\n`))
    .join('');
  const meta: TarEntry[] = [{ path: '.PKGINFO', content: Buffer.from(info), mode: 0o644 }];
  if (spec.scripts)
    meta.push({ path: '.INSTALL', content: Buffer.from(installScript(spec.scripts)), mode: 0o644 });
  const tree = { path: '.MTREE', content: mtree([...meta, ...data], modified), mode: 0o644 };
  return {
    fileName: `${spec.name}-${fullVersion(spec)}-${architecture}.pkg.tar.gz`,
    architecture,
    content: gzipSync(tarArchive([...meta, tree, ...data], modified, '')),
    installedSize,
  };
}

export const nameOf = (relation: string) => relationOf(relation).name;
