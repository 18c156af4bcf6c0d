import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stringify } from 'yaml';
import { buildServiceContext } from '../../../components/build-context';
import { parseEstateConfig } from '../../../components/config';
import { MIRRORED_REGISTRIES } from '../../lab/engine/buildkit';
import { nodeImage } from '../../lab/images/node-image';
import { platformImages } from '../../lab/images/platform-images';
import { run } from '../../lab/exec';
import { pushImages } from '../../lab/images';
import { ensureK3sImage, k3sContainerOptions, K3S_IMAGE } from '../../lab/k3s';
import { consoleReporter } from '../../lab/report';
import { eventually } from './kube';
import { startLabEngine, type LabEngine } from './lab-engine';

const CONTAINER = 'wire-server';
const LIMIT_MS = 300_000;

/** A cluster of one real node, in an engine of the test's own. */
export interface LabCluster {
  readonly engine: LabEngine;
  readonly kubeconfig: string;
  readonly kubeconfigPath: string;
  /** Builds a service of runtime/ into the cluster's registry. Gives its reference. */
  serviceImage(service: string): Promise<string>;
  stop(): Promise<void>;
}

/** What agents need that are to join a lab's cluster. */
export interface Joining {
  /** Docker network, made for them; the server has the name `server` there. */
  readonly network: string;
  /** The secret with which they join. */
  readonly token: string;
}

/**
 * Starts a lab's k3s as one container of an engine of the test's own. Ready when it resolves.
 * @param images platform images that pods may use, by their names in the lab's registry.
 */
export async function startLabCluster(
  images: readonly string[],
  joining?: Joining,
  options: { readonly enforcesNetworkPolicies?: boolean } = {},
): Promise<LabCluster> {
  const reporter = consoleReporter();
  const engine = await startLabEngine();
  try {
    const { ctx } = engine;
    if (images.length > 0) {
      const all = await platformImages(process.arch === 'arm64' ? 'arm64' : 'amd64', reporter);
      const node = images.includes('library/node') ? [await nodeImage(reporter)] : [];
      const wanted = [...node, ...all.filter(({ name }) => images.includes(name))];
      await pushImages(ctx, wanted, reporter);
    }
    await ensureK3sImage(ctx, reporter);
    if (joining !== undefined) await engine.docker('network', 'create', joining.network);
    await engine.docker(
      'run',
      '--detach',
      ...(await nodeFlags(engine)),
      ...(joining === undefined ? [] : joinFlags(joining)),
      ...(options.enforcesNetworkPolicies ? ['--env', 'K3S_LAB_NETWORK_POLICIES=enforced'] : []),
      K3S_IMAGE,
      ...[...['server', '--tls-san', ctx.address, '--disable', 'traefik']],
    );
    const kubectl = (...args: string[]) => engine.docker('exec', CONTAINER, 'kubectl', ...args);
    await eventually(
      'the node is ready',
      async () => /\sReady\s/.test(await kubectl('get', 'node', 'server')),
      LIMIT_MS,
    );
    const text = await engine.docker('exec', CONTAINER, 'cat', '/etc/rancher/k3s/k3s.yaml');
    const kubeconfig = text.replace(
      /server: \S+/,
      `server: https://${ctx.address}:${ctx.kubeApiPort}`,
    );
    const kubeconfigPath = path.join(ctx.root, 'wire-kubeconfig');
    await writeFile(kubeconfigPath, kubeconfig, { mode: 0o600 });
    return {
      engine,
      kubeconfig,
      kubeconfigPath,
      serviceImage: (service) => buildService(engine, service),
      stop: () => engine.stop(),
    };
  } catch (error) {
    await engine.stop();
    throw error;
  }
}

async function buildService({ ctx, env }: LabEngine, service: string): Promise<string> {
  const folder = buildServiceContext(service, path.join(ctx.root, 'wire-build', service));
  const { images } = parseEstateConfig({
    values: { nodes: [{ name: 'node-1' }] },
    keys: [],
    secrets: new Set(['clusterToken']),
  });
  const reference = `${ctx.registry}/berth/${service}:latest`;
  await run(
    'buildx',
    [
      ...['build', '--builder', ctx.builderName, '--push', '--tag', reference],
      ...['--file', path.join(__dirname, '../../../images/service.Dockerfile')],
      ...['--build-arg', `BASE_IMAGE=${images.baseImage}`, folder],
    ],
    { env },
  );
  return reference;
}

const joinFlags = ({ network, token }: Joining): string[] => [
  ...['--network', network, '--network-alias', 'server', '--env', `K3S_TOKEN=${token}`],
];

/** What Docker is told of the node's container. */
async function nodeFlags({ ctx }: LabEngine): Promise<string[]> {
  const registries = path.join(ctx.root, 'wire-registries.yaml');
  const endpoint = [`http://${ctx.registry}`];
  const named = [...MIRRORED_REGISTRIES, ctx.registry];
  const mirrors = Object.fromEntries(named.map((name) => [name, { endpoint }]));
  await writeFile(registries, stringify({ mirrors }));
  return [
    ...['--name', CONTAINER, '--hostname', 'server', '--env', 'K3S_NODE_NAME=server'],
    ...['--cpus', '2', '--memory', '3g'],
    ...['--publish', `${ctx.address}:${ctx.kubeApiPort}:6443`],
    ...['--volume', `${registries}:/etc/rancher/k3s/registries.yaml:ro`],
    ...nodeContainerFlags(),
  ];
}

/** What Docker is told of any container that is to be a node. */
export function nodeContainerFlags(): string[] {
  const options = k3sContainerOptions;
  return [
    ...['--cgroupns', options.cgroupnsMode],
    ...options.capabilities.flatMap((name) => ['--cap-add', name]),
    ...options.securityOptions.flatMap((name) => ['--security-opt', name]),
    ...options.devices.flatMap(({ hostPath }) => ['--device', hostPath]),
    ...options.mounts.flatMap((one) => ['--volume', `${one.hostPath}:${one.containerPath}`]),
    ...options.tmpfs.flatMap((folder) => ['--tmpfs', `${folder}:exec`]),
  ];
}
