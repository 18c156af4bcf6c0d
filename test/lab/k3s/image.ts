import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { bundleForImage } from '../bundle-for-lab';
import { contentKey } from '../cache';
import { run, type CommandOutput } from '../exec';
import type { ImageParts } from './parts';
import { tarWith } from './tar';

/** The image that production pulls and the lab makes. */
export const K3S_IMAGE = 'rancher/k3s:v1.36.3-k3s1';

const keyLabel = 'dev.berth.lab.key';
const dataVolumes = ['/var/lib/rancher/k3s', '/var/lib/kubelet', '/var/lib/cni', '/var/log'];

const k3sScript = `#!/bin/sh
# The image's entry point; as process 1 under tini, which reaps what containerd's shims leave behind.
[ "$1" = kubectl ] && shift && exec /usr/bin/kubectl "$@"
[ "$1" = --version ] && echo 'k3s version v1.36.3+k3s1 (lab)' && exit
[ "$1" = ctr ] && shift && exec ctr -a /run/k3s/containerd/containerd.sock "$@"
[ $$ = 1 ] && exec tini -- node /usr/local/lib/k3s/k3s.js "$@"
exec node /usr/local/lib/k3s/k3s.js "$@"
`;

const kubectlScript = `#!/bin/sh
: "\${KUBECONFIG:=/etc/rancher/k3s/k3s.yaml}"
export KUBECONFIG
exec /usr/local/libexec/kubectl "$@"
`;

const dockerfile = (base: string, key: string): string => `FROM ${base}
COPY . /
ENV CONTAINERD_ADDRESS=/run/k3s/containerd/containerd.sock CONTAINERD_NAMESPACE=k8s.io
ENV K3S_LAB_NETWORK_POLICIES=${process.env['BERTH_LAB_NETWORK_POLICIES'] ?? ''}
LABEL ${keyLabel}=${key}
VOLUME ${JSON.stringify(dataVolumes)}
ENTRYPOINT ["/usr/bin/k3s"]
CMD ["agent"]
`;

/** Docker's command line and the environment that points it at one engine. */
export interface Engine {
  command: string;
  env: Readonly<Record<string, string>>;
}

function docker(engine: Engine, args: readonly string[], input?: Readable): Promise<CommandOutput> {
  // The engine's own builder: it needs no builder container.
  const env = { ...engine.env, DOCKER_BUILDKIT: '0', DOCKER_CONTEXT: undefined };
  return run(engine.command, args, { env, input });
}

async function labelOf(engine: Engine, image: string): Promise<string | undefined> {
  const format = `{{index .Config.Labels "${keyLabel}"}}`;
  return docker(engine, ['image', 'inspect', '--format', format, image]).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );
}

async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'berth-k3s-image-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Name of the image of the root and the programs alone. */
export function baseOf(parts: ImageParts): string {
  const programs = JSON.stringify(Object.entries(parts.programs).sort());
  return `berth-lab/k3s-base:${contentKey(path.basename(parts.rootfs), programs)}`;
}

/** Makes the image of the root and the programs, unless it is there. @returns whether it was */
export async function ensureBase(engine: Engine, parts: ImageParts): Promise<boolean> {
  const base = baseOf(parts);
  const hasBase = (await labelOf(engine, base)) !== undefined;
  if (!hasBase) await importBase(engine, parts, base);
  return hasBase;
}

/** Streams the root and the programs into the engine as one layer; nothing is packed or written twice. */
async function importBase(engine: Engine, parts: ImageParts, image: string): Promise<void> {
  // By symbolic links: others that read the cached files at the same time must not see them change.
  await withFolder(async (folder) => {
    for (const [inside, source] of Object.entries(parts.programs)) {
      const target = path.join(folder, inside);
      await mkdir(path.dirname(target), { recursive: true });
      await symlink(path.resolve(source), target);
    }
    const change = 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
    const archive = tarWith(parts.rootfs, folder, Object.keys(parts.programs));
    await docker(engine, ['import', '--change', change, '-', image], archive);
  });
}

/** The bundled entrypoint with all that belongs to it: path inside the image -> text. */
async function entrypointFiles(): Promise<Record<string, string>> {
  const files: Record<string, string> = {
    'usr/bin/k3s': k3sScript,
    'usr/bin/kubectl': kubectlScript,
    'usr/local/lib/k3s/k3s.js': bundleForImage(path.join(__dirname, 'entrypoint', 'container.ts')),
  };
  const manifests = path.join(__dirname, 'manifests');
  for (const name of (await readdir(manifests)).sort())
    files[`usr/local/share/k3s/manifests/${name}`] = await readFile(
      path.join(manifests, name),
      'utf8',
    );
  return files;
}

/**
 * Makes the image in the engine, unless just that one is there: a base of the root and the programs, which
 * rarely changes, and on it the entrypoint.
 * @returns what had to be done.
 */
export async function loadImage(
  engine: Engine,
  parts: ImageParts,
): Promise<'present' | 'entrypoint' | 'all'> {
  const base = baseOf(parts);
  const files = await entrypointFiles();
  const key = contentKey(dockerfile(base, ''), JSON.stringify(files));
  if ((await labelOf(engine, K3S_IMAGE)) === key) return 'present';
  const hasBase = await ensureBase(engine, parts);
  await withFolder(async (folder) => {
    for (const [inside, text] of Object.entries(files)) {
      const target = path.join(folder, inside);
      await mkdir(path.dirname(target), { recursive: true });
      await writeFile(target, text, { mode: inside.startsWith('usr/bin/') ? 0o755 : 0o644 });
    }
    await writeFile(path.join(folder, 'Dockerfile'), dockerfile(base, key));
    await writeFile(path.join(folder, '.dockerignore'), 'Dockerfile\n.dockerignore\n');
    await docker(engine, ['build', '--quiet', '--tag', K3S_IMAGE, folder]);
  });
  return hasBase ? 'entrypoint' : 'all';
}
