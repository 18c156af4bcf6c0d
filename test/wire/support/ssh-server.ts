import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { downloadPackages, unpackPackages } from '../../lab/debian';
import { run } from '../../lab/exec';
import { freePorts, Processes } from './processes';

/** A real sshd on 127.0.0.1 that lets root in with one key. */
export interface SshServer {
  port: number;
  /** PEM of the key that it takes. */
  privateKey: string;
  /** `ssh-ed25519 AAAA…` as it shows itself. */
  hostKey: string;
  stop(): Promise<void>;
}

/**
 * Starts an sshd from Debian's package without installing it. It runs in a mount namespace of its own, where
 * /etc/passwd has the user that it wants and the machine's does not.
 */
export async function startSshServer(): Promise<SshServer> {
  const folder = await mkdtemp(path.join(tmpdir(), 'berth-sshd-'));
  const arch = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const files = await downloadPackages(arch, ['openssh-server'], () => undefined);
  const root = path.join(folder, 'root');
  const needed =
    /^(openssh-server|libwrap0|libpam0g|libaudit1|libcap-ng0|libgssapi|libkrb5|libk5crypto|libcom-err2|libkeyutils1|libselinux1|libpcre2|libcbor|libfido2|libssl3|libsystemd0|libnsl2|libtirpc)/;
  await unpackPackages(
    files.filter((file) => needed.test(path.basename(file))),
    root,
  );
  for (const name of ['host', 'user']) {
    const key = path.join(folder, name);
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', key]);
  }
  const [port = 0] = await freePorts(1);
  const passwd = `${await readFile('/etc/passwd', 'utf8')}sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\n`;
  await writeFile(path.join(folder, 'passwd'), passwd);
  const keys = path.join(folder, 'authorized_keys');
  await writeFile(keys, await readFile(path.join(folder, 'user.pub')));
  await chmod(keys, 0o600);
  await mkdir(path.join(folder, 'empty'), { mode: 0o755 });
  const config = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${path.join(folder, 'host')}`,
    `AuthorizedKeysFile ${keys}`,
    `PidFile ${path.join(folder, 'pid')}`,
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'UsePAM no',
    'StrictModes no',
    'PermitRootLogin yes',
    'AcceptEnv PULUMI_COMMAND_STDOUT PULUMI_COMMAND_STDERR',
  ];
  await writeFile(path.join(folder, 'config'), `${config.join('\n')}\n`);
  const script = [
    'set -e',
    `mount --bind '${folder}/passwd' /etc/passwd`,
    'mkdir -p /run && mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd',
    `exec '${root}/usr/sbin/sshd' -D -e -f '${folder}/config'`,
  ].join('\n');
  const triplet = arch === 'amd64' ? 'x86_64-linux-gnu' : 'aarch64-linux-gnu';
  const processes = new Processes(folder);
  processes.start('sshd', 'unshare', ['--mount', 'sh', '-c', script], {
    LD_LIBRARY_PATH: path.join(root, 'usr', 'lib', triplet),
  });
  await processes.until('sshd', () => answers(port));
  return {
    port,
    privateKey: await readFile(path.join(folder, 'user'), 'utf8'),
    hostKey: (await readFile(path.join(folder, 'host.pub'), 'utf8')).trim(),
    stop: async () => {
      await processes.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function answers(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', reject);
    socket.once('data', () => {
      socket.destroy();
      resolve();
    });
  });
}
