/** Makes Debian binary packages out of a description, so that a fleet has something real to install. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { type TarEntry, tarArchive } from './tar-archive.ts';

interface PackageFile {
  readonly content: string;
  readonly mode?: number;
  /** Whether an operator's change to it must survive an upgrade. */
  readonly conffile?: boolean;
}

/** A synthetic package; what is left out takes a plain default. */
export interface PackageSpec {
  readonly name: string;
  readonly version: string;
  /** `native` is the architecture of this machine. */
  readonly architecture?: 'all' | 'native';
  /** A Depends field, as Debian writes it. */
  readonly depends?: string;
  readonly conflicts?: string;
  readonly replaces?: string;
  readonly section?: string;
  readonly description?: string;
  /** Kilobytes that the package claims to take once installed. */
  readonly installedSize?: number;
  readonly essential?: boolean;
  /** Of a hundred servers, how many get it while Ubuntu phases it in. */
  readonly phased?: number;
  /** By absolute path. */
  readonly files?: Readonly<Record<string, PackageFile>>;
  readonly scripts?: Readonly<Partial<Record<'preinst' | 'postinst' | 'prerm' | 'postrm', string>>>;
}

export interface DebFile {
  /** `name_version_architecture.deb`, without the epoch, as Debian's pool names it. */
  readonly fileName: string;
  readonly control: string;
  readonly content: Buffer;
}

/** Debian's word for the processor of this machine. */
export function nativeArchitecture(processor: string = process.arch): string {
  const names: Record<string, string> = { x64: 'amd64', arm64: 'arm64', arm: 'armhf', ia32: 'i386' };
  const name = names[processor];
  if (!name)
    throw new Error(`processor "${processor}" has no Debian name here: run on x64, arm64, arm or ia32`);
  return name;
}

function controlFields(spec: PackageSpec, architecture: string, size: number): string {
  const fields: [string, string | undefined][] = [
    ['Package', spec.name],
    ['Version', spec.version],
    ['Architecture', architecture],
    ['Maintainer', 'Quarterdeck <quarterdeck@example.invalid>'],
    ['Installed-Size', String(spec.installedSize ?? Math.ceil(size / 1024) + 1)],
    ['Depends', spec.depends],
    ['Conflicts', spec.conflicts],
    ['Replaces', spec.replaces],
    ['Section', spec.section ?? 'misc'],
    ['Priority', 'optional'],
    ['Essential', spec.essential ? 'yes' : undefined],
    ['Phased-Update-Percentage', spec.phased === undefined ? undefined : String(spec.phased)],
    ['Description', spec.description ?? `${spec.name}, a package made for this fleet`],
  ];
  return fields.flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}\n`])).join('');
}

function arMember(name: string, content: Buffer, modified: number): Buffer {
  const head = `${name.padEnd(16)}${String(modified).padEnd(12)}${'0'.padEnd(6)}${'0'.padEnd(6)}${'100644'.padEnd(8)}${String(content.length).padEnd(10)}\`\n`;
  return Buffer.concat([Buffer.from(head), content, Buffer.alloc(content.length % 2, '\n')]);
}

/** @param modified epoch seconds written on every file */
export function buildDeb(spec: PackageSpec, modified: number): DebFile {
  const architecture = spec.architecture === 'native' ? nativeArchitecture() : 'all';
  const files = Object.entries(spec.files ?? {});
  const data: TarEntry[] = files.map(([path, file]) => ({
    path: path.replace(/^\//, ''),
    content: Buffer.from(file.content),
    mode: file.mode ?? 0o644,
  }));
  const size = data.reduce((total, entry) => total + entry.content.length, 0);
  const control = controlFields(spec, architecture, size);
  const conffiles = files.flatMap(([path, file]) => (file.conffile ? [`${path}\n`] : [])).join('');
  const meta: TarEntry[] = [{ path: 'control', content: Buffer.from(control), mode: 0o644 }];
  if (conffiles) meta.push({ path: 'conffiles', content: Buffer.from(conffiles), mode: 0o644 });
  const checksums = data
    .filter(({ path }) => !spec.files?.[`/${path}`]?.conffile)
    .map(({ path, content }) => `${createHash('md5').update(content).digest('hex')}  ${path}\n`);
  if (checksums.length > 0)
    meta.push({ path: 'md5sums', content: Buffer.from(checksums.join('')), mode: 0o644 });
  for (const [path, script] of Object.entries(spec.scripts ?? {}))
    meta.push({ path, content: Buffer.from(script), mode: 0o755 });
  return {
    fileName: `${spec.name}_${spec.version.replace(/^\d+:/, '')}_${architecture}.deb`,
    control,
    content: Buffer.concat([
      Buffer.from('!<arch>\n'),
      arMember('debian-binary', Buffer.from('2.0\n'), modified),
      arMember('control.tar.gz', gzipSync(tarArchive(meta, modified)), modified),
      arMember('data.tar.gz', gzipSync(tarArchive(data, modified)), modified),
    ]),
  };
}
