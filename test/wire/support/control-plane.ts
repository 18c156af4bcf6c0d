import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { ensurePrograms } from '../../lab/programs';
import { consoleReporter } from '../../lab/report';
import { ensureEtcd } from './etcd';
import { ensureKwok, type KwokOptions } from './kwok';
import { freePorts, Processes } from './processes';
import { answersWell } from './answers-well';

export interface ControlPlane {
  /** The content of a kubeconfig with all rights. */
  kubeconfig: string;
  /** The same as a file, which goes with the control plane. */
  kubeconfigPath: string;
  /** Where kwok answers; undefined without it. */
  kwokUrl: string | undefined;
  /** Processor time that the API server and its store have used so far, in ms. */
  processorMs(): Promise<number>;
  /** Ends every process and removes every file. */
  stop(): Promise<void>;
}

export interface ControlPlaneOptions {
  /** Namespaces are only ever gone, and Deployments only make pods, with the controllers. */
  controllerManager?: boolean;
  scheduler?: boolean;
  /** Plays the kubelets of all nodes that a test creates: nodes and pods become ready, pods of Jobs succeed. */
  kwok?: boolean | KwokOptions;
}

/**
 * A real API server over a real etcd, on free ports of 127.0.0.1, with what else is asked for. All of it is ready when
 * this resolves, in a few seconds.
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const programs = await ensurePrograms(
    ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'],
    consoleReporter(),
  );
  const etcd = await ensureEtcd();
  const folder = await mkdtemp(path.join(tmpdir(), 'berth-control-plane-'));
  const processes = new Processes(folder);
  const stop = async () => {
    await processes.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const [client = 0, peer = 0, api = 0, manager = 0, scheduler = 0, player = 0] =
      await freePorts(6);
    const etcdUrl = `http://127.0.0.1:${client}`;
    const peerUrl = `http://127.0.0.1:${peer}`;
    processes.start('etcd', etcd, [
      ...['--data-dir', path.join(folder, 'etcd'), '--unsafe-no-fsync'],
      ...['--listen-client-urls', etcdUrl, '--advertise-client-urls', etcdUrl],
      ...['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl],
      ...['--initial-cluster', `default=${peerUrl}`],
    ]);

    const files = await writeKeys(folder);
    processes.start('kube-apiserver', programs['kube-apiserver'], [
      `--etcd-servers=${etcdUrl}`,
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      '--endpoint-reconciler-type=none',
      `--secure-port=${api}`,
      `--cert-dir=${path.join(folder, 'certificates')}`,
      '--service-cluster-ip-range=10.96.0.0/16',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-signing-key-file=${files.key}`,
      `--service-account-key-file=${files.publicKey}`,
      `--token-auth-file=${files.tokens}`,
      '--authorization-mode=Node,RBAC',
      '--allow-privileged=true',
      // kwok's watches count as lists by a watch, which Debian's etcd cannot do: they would end at once, and be tried
      // again later and later, and pods would wait for many seconds to be run.
      ...(options.kwok ? ['--feature-gates=WatchList=false'] : []),
    ]);
    const certificate = path.join(folder, 'certificates', 'apiserver.crt');
    await processes.until('the API server', () => readFile(certificate));
    const kubeconfig = kubeconfigOf(api, await readFile(certificate, 'utf8'), files.token);
    const kubeconfigPath = path.join(folder, 'kubeconfig');
    await writeFile(kubeconfigPath, kubeconfig, { mode: 0o600 });
    const config = new KubeConfig();
    config.loadFromString(kubeconfig);
    await processes.until('the API server', () => answersWell(`https://127.0.0.1:${api}/readyz`));
    await processes.until('the namespace "default"', () =>
      config.makeApiClient(CoreV1Api).readNamespace({ name: 'default' }),
    );

    if (options.controllerManager) {
      processes.start('kube-controller-manager', programs['kube-controller-manager'], [
        `--kubeconfig=${kubeconfigPath}`,
        '--leader-elect=false',
        '--bind-address=127.0.0.1',
        `--secure-port=${manager}`,
        `--service-account-private-key-file=${files.key}`,
        '--use-service-account-credentials=false',
      ]);
    }
    if (options.scheduler) {
      processes.start('kube-scheduler', programs['kube-scheduler'], [
        `--kubeconfig=${kubeconfigPath}`,
        '--leader-elect=false',
        '--bind-address=127.0.0.1',
        `--secure-port=${scheduler}`,
      ]);
    }
    if (options.kwok) {
      const { file, stages } = await ensureKwok(options.kwok === true ? {} : options.kwok);
      const configs = stages.flatMap((stage) => ['--config', stage]);
      processes.start('kwok', file, [
        ...['--kubeconfig', kubeconfigPath, '--manage-all-nodes'],
        ...['--server-address', `127.0.0.1:${player}`, ...configs],
      ]);
    }
    // Only now, so that they come up side by side.
    if (options.controllerManager) {
      const url = `https://127.0.0.1:${manager}/healthz`;
      await processes.until('kube-controller-manager', () => answersWell(url));
    }
    if (options.scheduler) {
      const url = `https://127.0.0.1:${scheduler}/healthz`;
      await processes.until('kube-scheduler', () => answersWell(url));
    }
    if (options.kwok) {
      // It answers once it follows nodes and pods.
      const url = `http://127.0.0.1:${player}/healthz`;
      await processes.until('kwok', () => answersWell(url));
    }
    const processorMs = async (): Promise<number> =>
      (await processes.processorMs('kube-apiserver')) + (await processes.processorMs('etcd'));
    const kwokUrl = options.kwok ? `http://127.0.0.1:${player}` : undefined;
    return { kubeconfig, kubeconfigPath, kwokUrl, processorMs, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function writeKeys(folder: string) {
  await mkdir(path.join(folder, 'certificates'));
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const token = randomBytes(16).toString('hex');
  const write = async (name: string, content: string) => {
    const file = path.join(folder, name);
    await writeFile(file, content, { mode: 0o600 });
    return file;
  };
  return {
    token,
    key: await write('service-accounts.key', privateKey),
    publicKey: await write('service-accounts.pub', publicKey),
    tokens: await write('tokens.csv', `${token},admin,admin,"system:masters"\n`),
  };
}

function kubeconfigOf(port: number, certificate: string, token: string): string {
  const authority = Buffer.from(certificate).toString('base64');
  return `apiVersion: v1
kind: Config
clusters:
  - name: test
    cluster:
      server: https://127.0.0.1:${port}
      certificate-authority-data: ${authority}
users:
  - name: admin
    user: { token: ${token} }
contexts:
  - name: test
    context: { cluster: test, user: admin }
current-context: test
`;
}
