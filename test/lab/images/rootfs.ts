import { existsSync } from 'node:fs';
import {
  chmod,
  chown,
  copyFile,
  mkdir,
  readdir,
  readFile,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { cacheDir, cached, contentKey } from '../cache';
import { downloadPackages, unpackPackages, type DebianArch } from '../debian';
import { run } from '../exec';
import type { Reporter } from '../report';

/** A root file system to make. */
export interface RootfsSpec {
  /** Name in the cache and in reports. */
  readonly name: string;
  readonly arch: DebianArch;
  /** Debian packages on top of base-files, base-passwd and their like; what they depend on comes along. */
  readonly packages: readonly string[];
  /** Makes a layer to lie over a root with these packages: what they bring is left out. */
  readonly over?: readonly string[];
  /** Unpacks only these of all packages: for programs that need nothing of what they ask for. */
  readonly only?: readonly string[];
  /** Symbolic links that install scripts would have made: path in the image, to what it points to. */
  readonly links?: Readonly<Record<string, string>>;
  /** Text files: path in the image, to content. */
  readonly files?: Readonly<Record<string, string>>;
  /** Folders and files left out, relative to the image's root, besides documentation and locales. */
  readonly remove?: readonly string[];
  /** Empty folders that a user other than root may write to: path in the image, to the user's number. */
  readonly folders?: Readonly<Record<string, number>>;
  /** Local files to add: path in the image, to path here. They are executable in the image. */
  readonly programs?: Readonly<Record<string, string>>;
}

const BASE_PACKAGES = ['base-files', 'base-passwd', 'ca-certificates', 'netbase'];

/** Changes when the recipe below does, so that what older ones made is not taken. */
const RECIPE = '2';

/** What a container never reads. */
const NEVER_READ = [
  ...['usr/share/doc', 'usr/share/man', 'usr/share/info', 'usr/share/locale', 'usr/share/lintian'],
  ...[
    'usr/share/bash-completion',
    'usr/share/bug',
    'usr/share/debconf',
    'usr/lib/systemd',
    'var/cache',
  ],
  ...[
    'etc/init.d',
    'etc/default',
    'etc/cron.daily',
    'etc/logrotate.d',
    'usr/share/i18n',
    'usr/lib/udev',
  ],
  ...['usr/lib/x86_64-linux-gnu/gconv', 'usr/lib/aarch64-linux-gnu/gconv'],
];

/**
 * A Debian root file system as a tar file in the cache, made for any processor without running a program of it:
 * packages are unpacked, not configured. The few things that install scripts do and that images need are done here:
 * users and groups, certificates, `sh` and `awk`; `iptables` points to the legacy variant. Add more by `links` and `files`.
 * @returns path of the tar; its name changes with its content, so it serves as a key too
 */
export async function ensureRootfs(spec: RootfsSpec, reporter: Reporter): Promise<string> {
  const programs = Object.entries(spec.programs ?? {});
  const contents = await Promise.all(programs.map(([, file]) => readFile(file)));
  const key = contentKey(RECIPE, JSON.stringify(spec), ...contents);
  const target = path.join(cacheDir(), 'rootfs', `${spec.name}-${spec.arch}-${key}.tar`);
  if (existsSync(target)) return target;
  return reporter.step(`root of ${spec.name} for ${spec.arch}`, (detail) =>
    cached(
      target,
      async (temporary) => {
        const root = `${temporary}.root`;
        try {
          await mkdir(root);
          await fill(root, spec, detail);
          detail('tar');
          const order = ['--sort=name', '--mtime=@0', '--numeric-owner'];
          await run('tar', ['-c', '-f', temporary, '-C', root, ...order, '.']);
        } finally {
          await rm(root, { recursive: true, force: true });
        }
      },
      () => detail('waits for its turn'),
    ),
  );
}

async function fill(root: string, spec: RootfsSpec, detail: (text: string) => void): Promise<void> {
  if (spec.packages.length > 0) {
    const files = await packageFiles(spec, detail);
    detail(`${files.length} packages`);
    await unpackPackages(files, root);
  }
  if (spec.over === undefined) await configure(root);
  await link(root, spec);
  await addOwn(root, spec);
}

async function packageFiles(spec: RootfsSpec, detail: (text: string) => void): Promise<string[]> {
  const below = [...BASE_PACKAGES, ...(spec.over ?? [])];
  const all = await downloadPackages(spec.arch, [...below, ...spec.packages], detail);
  const left = new Set(spec.over && (await downloadPackages(spec.arch, below, detail)));
  return all.filter((file) => {
    const name = path.basename(file).split('_')[0] ?? '';
    return !left.has(file) && (spec.only?.includes(name) ?? true);
  });
}

/** What the install scripts of the base packages would have done. */
async function configure(root: string): Promise<void> {
  const inRoot = (file: string) => path.join(root, file);
  for (const name of ['passwd', 'group']) {
    await copyFile(inRoot(`usr/share/base-passwd/${name}.master`), inRoot(`etc/${name}`));
  }
  await joinCertificates(root);
  await copyIfThere(inRoot('usr/share/libc-bin/nsswitch.conf'), inRoot('etc/nsswitch.conf'));
  for (const name of ['tmp', 'var/tmp']) {
    await mkdir(inRoot(name), { recursive: true });
    await chmod(inRoot(name), 0o1777);
  }
}

async function link(root: string, spec: RootfsSpec): Promise<void> {
  const links: Record<string, string> = {
    'usr/bin/sh': 'dash',
    'usr/bin/awk': 'mawk',
    ...iptablesLinks(),
    ...spec.links,
  };
  for (const [from, to] of Object.entries(links)) {
    const at = path.join(root, from);
    const given = spec.links?.[from] !== undefined;
    if (!given && !existsSync(path.join(path.dirname(at), to))) continue;
    await mkdir(path.dirname(at), { recursive: true });
    await rm(at, { force: true });
    await symlink(to, at);
  }
}

async function addOwn(root: string, spec: RootfsSpec): Promise<void> {
  const inRoot = (file: string) => path.join(root, file);
  for (const name of [...NEVER_READ, ...(spec.remove ?? [])]) {
    await rm(inRoot(name), { recursive: true, force: true });
  }
  for (const [file, text] of Object.entries(spec.files ?? {})) {
    await mkdir(path.dirname(inRoot(file)), { recursive: true });
    await writeFile(inRoot(file), text);
  }
  for (const [file, from] of Object.entries(spec.programs ?? {})) {
    await mkdir(path.dirname(inRoot(file)), { recursive: true });
    await copyFile(from, inRoot(file));
    await chmod(inRoot(file), 0o755);
  }
  for (const [folder, user] of Object.entries(spec.folders ?? {})) {
    await mkdir(inRoot(folder), { recursive: true });
    await chown(inRoot(folder), user, user);
  }
}

function iptablesLinks(): Record<string, string> {
  const names = ['iptables', 'ip6tables'].flatMap((name) => [
    name,
    `${name}-save`,
    `${name}-restore`,
  ]);
  return Object.fromEntries(names.map((name) => [`usr/sbin/${name}`, 'xtables-legacy-multi']));
}

/** What `update-ca-certificates` would do: one file of all that Debian trusts. */
async function joinCertificates(root: string): Promise<void> {
  const folder = path.join(root, 'usr/share/ca-certificates/mozilla');
  const parts: string[] = [];
  for (const name of (await readdir(folder)).sort()) {
    parts.push(await readFile(path.join(folder, name), 'utf8'));
  }
  await mkdir(path.join(root, 'etc/ssl/certs'), { recursive: true });
  await writeFile(path.join(root, 'etc/ssl/certs/ca-certificates.crt'), parts.join(''));
}

async function copyIfThere(from: string, to: string): Promise<void> {
  if (existsSync(from)) await copyFile(from, to);
}
