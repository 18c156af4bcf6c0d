import { spawnSync } from 'node:child_process';
import { hostname } from 'node:os';
import path from 'node:path';
import { withConfigFile } from './config-file';
import { etcdSnapshot } from './etcd-snapshot';
import { parseNodeOptions } from './flags';
import { errorText } from './log';
import { runNode } from './main';
import { paths } from './paths';

/** Filled in when the file is made: which release it says it is. */
declare const K3S_VERSION: string;

/** What `/usr/local/bin/k3s` does on a host: `server`, `agent`, `kubectl`, `--version`; called as `kubectl`, that. */
function main(): void {
  const [, self = '', ...args] = process.argv;
  const isKubectl = path.basename(self) === 'kubectl';
  if (isKubectl || args[0] === 'kubectl') {
    const env = { KUBECONFIG: paths.kubeconfig, ...process.env };
    const { status } = spawnSync('/usr/local/libexec/kubectl', isKubectl ? args : args.slice(1), {
      stdio: 'inherit',
      env,
    });
    process.exit(status ?? 1);
  }
  if (args[0] === 'etcd-snapshot') {
    const { nodeName } = parseNodeOptions(withConfigFile(['server']), process.env, hostname());
    etcdSnapshot(args.slice(1), nodeName).then(
      (text) => void process.stdout.write(text),
      (error: unknown) => {
        process.stderr.write(`${errorText(error)}\n`);
        process.exit(1);
      },
    );
  } else if (args[0] === '--version') process.stdout.write(`k3s version ${K3S_VERSION} (lab)\n`);
  else runNode(args, { endPods: false });
}

main();
