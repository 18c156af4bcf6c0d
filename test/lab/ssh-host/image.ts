import { copyFile, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bundleForImage } from '../bundle-for-lab';
import { run } from '../exec';
import { ensureRootfs } from '../images';
import { baseOf, ensureBase, type Engine } from '../k3s/image';
import { ensureParts, K3S_PACKAGES } from '../k3s/parts';
import type { Reporter } from '../report';

export const SSH_HOST_IMAGE = 'berth-lab/ssh-host:1';

/** What a board has and the lab's k3s image has not. */
const PACKAGES = ['bash', 'curl', 'diffutils', 'etcd-client', 'mawk', 'openssh-server'];

const SSHD_CONFIG = [
  'HostKey /etc/ssh/lab_host_key',
  'AuthorizedKeysFile /etc/ssh/lab_authorized_keys',
  'PasswordAuthentication no',
  'KbdInteractiveAuthentication no',
  'UsePAM no',
  'StrictModes no',
  'PermitRootLogin yes',
  '',
].join('\n');

const UNITS = 'etc/systemd/system';

const JOURNALCTL = `#!/bin/sh
# journalctl -q -u UNIT -n LINES
exec tail -n "$5" "/var/log/$3.log"
`;

// All of /var is a volume: overlayfs does not lie on overlayfs, and what is below can be removed like on any host.
const dockerfile = (base: string): string => `FROM ${base}
ADD layer.tar /
COPY files /
VOLUME /var
ENTRYPOINT ["tini", "--", "/usr/local/bin/node", "/usr/local/sbin/supervisor"]
`;

/** Makes the image of a host in an engine. */
export async function loadSshHostImage(engine: Engine, reporter: Reporter): Promise<void> {
  const parts = await ensureParts(reporter);
  const arch = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const layer = await ensureRootfs(
    { name: 'ssh-host', arch, packages: PACKAGES, over: K3S_PACKAGES },
    reporter,
  );
  await ensureBase(engine, parts);
  const folder = await mkdtemp(path.join(tmpdir(), 'berth-ssh-host-'));
  try {
    const inside = (file: string) => path.join(folder, 'files', file);
    for (const name of ['usr/local/bin', 'usr/local/sbin', 'usr/local/share/k3s', 'etc/ssh', UNITS])
      await mkdir(inside(name), { recursive: true });
    await copyFile(layer, path.join(folder, 'layer.tar'));
    const manifests = path.join(__dirname, '..', 'k3s', 'manifests');
    await cp(manifests, inside('usr/local/share/k3s/manifests'), { recursive: true });
    await writeFile(inside('etc/ssh/lab_sshd_config'), SSHD_CONFIG);
    await writeFile(inside('usr/local/bin/journalctl'), JOURNALCTL, { mode: 0o755 });
    const program = bundleForImage(path.join(__dirname, 'supervisor.ts'), {
      executable: true,
    });
    for (const name of ['usr/local/sbin/supervisor', 'usr/local/bin/systemctl'])
      await writeFile(inside(name), program, { mode: 0o755 });
    await writeFile(path.join(folder, 'Dockerfile'), dockerfile(baseOf(parts)));
    const env = { ...engine.env, DOCKER_BUILDKIT: '0', DOCKER_CONTEXT: undefined };
    await run(engine.command, ['build', '--quiet', '--tag', SSH_HOST_IMAGE, folder], { env });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
