/** Makes RPM packages out of a description, signed or not, without rpmbuild. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { SigningKey } from '../openpgp.ts';
import { type PackageDescription, relationOf } from './package-description.ts';
import { rpmHeader, type TagValue } from './rpm-header.ts';

export interface RpmFile {
  /** `name-version-release.architecture.rpm`. */
  readonly fileName: string;
  readonly architecture: string;
  readonly content: Buffer;
  /** Where the header lies in the file, which repository metadata has to say. */
  readonly headerRange: { readonly start: number; readonly end: number };
  readonly installedSize: number;
  readonly archiveSize: number;
}

export interface RpmOptions {
  /** Nothing is signed without one. */
  readonly key: SigningKey | undefined;
  readonly at: Date;
  /** Who distributes the package where it does not say itself. */
  readonly vendor: string;
}

const REGULAR_FILE = 0o100000;
const CONFIG_NOREPLACE = 1 | 16;
const SHA256_ALGORITHM = 8;
const SENSE = { '<': 2, '>': 4, '=': 8, '<=': 10, '>=': 12 } as const;
/** What rpm itself must know to read the file; the sense is "rpmlib" and "or older". */
const RPMLIB_SENSE = 0x1000000 | 10;
const RPMLIB = [
  ['rpmlib(CompressedFileNames)', '3.0.4-1'],
  ['rpmlib(PayloadFilesHavePrefix)', '4.0-1'],
] as const;

/** RPM's word for the processor of this machine. */
export function rpmArchitecture(processor: string = process.arch): string {
  const names: Record<string, string> = { x64: 'x86_64', arm64: 'aarch64', ia32: 'i686' };
  const name = names[processor];
  if (!name) throw new Error(`processor "${processor}" has no RPM name here: run on x64, arm64 or ia32`);
  return name;
}

const digest = (content: Buffer | string, algorithm = 'sha256') =>
  createHash(algorithm).update(content).digest('hex');

interface Entry {
  readonly path: string;
  readonly content: Buffer;
  readonly mode: number;
  readonly config: boolean;
}

/** An archive as `cpio -H newc` makes it, which is what RPM carries. */
function cpio(entries: readonly Entry[], modified: number): Buffer {
  const padded = (content: Buffer) => Buffer.concat([content, Buffer.alloc(-content.length & 3)]);
  const member = (name: string, mode: number, content: Buffer, inode: number) => {
    const fields = [
      ...[inode, mode, 0, 0, 1, modified, content.length, 0, 0, 0, 0],
      ...[Buffer.byteLength(name) + 1, 0],
    ];
    const head = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${name}\0`;
    return [padded(Buffer.from(head)), padded(content)];
  };
  return Buffer.concat([
    ...entries.flatMap(({ path, mode, content }, index) => member(`.${path}`, mode, content, index + 1)),
    ...member('TRAILER!!!', 0, Buffer.alloc(0), 0),
  ]);
}

/** The three parallel tags of a kind of relation. */
function relationTags(
  texts: readonly string[],
  [names, flags, versions]: readonly [number, number, number],
  more: readonly (readonly [string, number, string])[] = [],
): [number, TagValue][] {
  const all = [
    ...texts.map((text) => {
      const { name, operator, version } = relationOf(text);
      return [name, operator ? SENSE[operator] : 0, version] as const;
    }),
    ...more,
  ];
  return [
    [names, { strings: all.map(([name]) => name) }],
    [flags, { int32: all.map(([, sense]) => sense) }],
    [versions, { strings: all.map(([, , version]) => version) }],
  ];
}

function fileTags(entries: readonly Entry[], modified: number): [number, TagValue][] {
  const folderOf = ({ path }: Entry) => path.slice(0, path.lastIndexOf('/') + 1);
  const folders = [...new Set(entries.map(folderOf))];
  const each = <T>(value: T) => entries.map(() => value);
  return [
    [1028, { int32: entries.map(({ content }) => content.length) }],
    [1030, { int16: entries.map(({ mode }) => mode) }],
    [1033, { int16: each(0) }],
    [1034, { int32: each(modified) }],
    [1035, { strings: entries.map(({ content }) => digest(content)) }],
    [1036, { strings: each('') }],
    [1037, { int32: entries.map(({ config }) => (config ? CONFIG_NOREPLACE : 0)) }],
    [1039, { strings: each('root') }],
    [1040, { strings: each('root') }],
    [1045, { int32: each(0xffffffff) }],
    [1095, { int32: each(1) }],
    [1096, { int32: entries.map((_, index) => index + 1) }],
    [1097, { strings: each('') }],
    [1116, { int32: entries.map((entry) => folders.indexOf(folderOf(entry))) }],
    [1117, { strings: entries.map(({ path }) => path.slice(path.lastIndexOf('/') + 1)) }],
    [1118, { strings: folders }],
    [5011, { int32: [SHA256_ALGORITHM] }],
  ];
}

const SCRIPT_TAGS = {
  beforeInstall: [1023, 1085],
  afterInstall: [1024, 1086],
  beforeRemove: [1025, 1087],
  afterRemove: [1026, 1088],
} as const;

/** What a package says it provides: itself at its version, and what its description adds. */
export function providesOf(spec: PackageDescription): string[] {
  const { epoch, version, release = '1' } = spec;
  return [`${spec.name} = ${epoch ? `${epoch}:` : ''}${version}-${release}`, ...(spec.provides ?? [])];
}

function entriesOf(spec: PackageDescription): Entry[] {
  const files = Object.entries(spec.files ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return files.map(([path, { content, mode = 0o644, config = false }]) => ({
    path,
    content: Buffer.from(content),
    mode: REGULAR_FILE | mode,
    config,
  }));
}

export function buildRpm(spec: PackageDescription, options: RpmOptions): RpmFile {
  const { release = '1', epoch, architecture: kind = 'any' } = spec;
  const architecture = kind === 'any' ? 'noarch' : kind === 'native' ? rpmArchitecture() : kind;
  const modified = Math.floor(options.at.getTime() / 1000);
  const entries = entriesOf(spec);
  const installedSize = spec.installedSize ?? entries.reduce((sum, { content }) => sum + content.length, 0);
  const archive = cpio(entries, modified);
  const payload = gzipSync(archive);
  const fileName = `${spec.name}-${spec.version}-${release}.${architecture}.rpm`;
  const scripts = Object.entries(SCRIPT_TAGS).flatMap(([name, [text, program]]): [number, TagValue][] => {
    const script = spec.scripts?.[name as keyof typeof SCRIPT_TAGS];
    return script === undefined
      ? []
      : [
          [text, { string: script }],
          [program, { string: '/bin/sh' }],
        ];
  });
  const tags = new Map<number, TagValue>([
    [100, { strings: ['C'] }],
    [1000, { string: spec.name }],
    [1001, { string: spec.version }],
    [1002, { string: release }],
    ...(epoch === undefined ? [] : ([[1003, { int32: [epoch] }]] as const)),
    [1004, { translated: spec.description ?? `${spec.name}, made for this fleet` }],
    [1005, { translated: spec.description ?? `${spec.name}, a package made for this fleet.` }],
    [1006, { int32: [modified] }],
    [1007, { string: 'fleet' }],
    [1009, { int32: [installedSize] }],
    [1011, { string: spec.vendor ?? options.vendor }],
    [1014, { string: 'Apache-2.0' }],
    [1016, { translated: 'Unspecified' }],
    [1021, { string: 'linux' }],
    [1022, { string: architecture }],
    [1044, { string: `${spec.name}-${spec.version}-${release}.src.rpm` }],
    [1124, { string: 'cpio' }],
    [1125, { string: 'gzip' }],
    [1126, { string: '9' }],
    ...relationTags(providesOf(spec), [1047, 1112, 1113]),
    ...relationTags(
      spec.requires ?? [],
      [1049, 1048, 1050],
      RPMLIB.map(([name, version]) => [name, RPMLIB_SENSE, version]),
    ),
    ...relationTags(spec.conflicts ?? [], [1054, 1053, 1055]),
    ...relationTags(spec.obsoletes ?? [], [1090, 1114, 1115]),
    ...(entries.length > 0 ? fileTags(entries, modified) : []),
    ...scripts,
    [5092, { strings: [digest(payload)] }],
    [5093, { int32: [SHA256_ALGORITHM] }],
    [5097, { strings: [digest(archive)] }],
  ]);
  const header = rpmHeader(tags, 63);
  const signature = rpmHeader(
    new Map<number, TagValue>([
      ...(options.key ? ([[267, { bytes: options.key.sign(header, options.at) }]] as const) : []),
      [269, { string: digest(header, 'sha1') }],
      [273, { string: digest(header) }],
      [1000, { int32: [header.length + payload.length] }],
      [1004, { bytes: createHash('md5').update(header).update(payload).digest() }],
      [1007, { int32: [archive.length] }],
    ]),
    62,
  );
  const before = Buffer.concat([lead(fileName), signature, Buffer.alloc(-signature.length & 7)]);
  return {
    fileName,
    architecture,
    content: Buffer.concat([before, header, payload]),
    headerRange: { start: before.length, end: before.length + header.length },
    installedSize,
    archiveSize: archive.length,
  };
}

/** The fixed block that old tools recognise an RPM by; its names are not read any more. */
function lead(name: string): Buffer {
  const out = Buffer.alloc(96);
  out.write('edabeedb0300', 0, 'hex');
  out.writeUInt16BE(1, 8);
  out.write(name.slice(0, 65), 10);
  out.writeUInt16BE(1, 76);
  out.writeUInt16BE(5, 78);
  return out;
}
