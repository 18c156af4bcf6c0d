import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import * as plane from './control-plane';
import { addressAt } from './flags';
import { nodeIdentity, serveJoins } from './join-server';
import { parseToken } from './join-protocol';
import { KubeClient } from './kube-client';
import { kubeconfig } from './kubeconfig';
import { errorText, log } from './log';
import { startContainerd, startNode, type NodeContext } from './node';
import { checkNodePassword, forgetNodePassword, ownNodePassword } from './node-password';
import { followNodes } from './nodes';
import { paths } from './paths';
import { caHash, ensurePki, readPair, writePrivate } from './pki';
import { run } from './run';
import type { Supervisor } from './supervisor';
import { waitFor } from './wait-for';

/** The cluster's secret: what was asked for, or what an earlier start made. */
async function clusterSecret(token: string | undefined, ca: string): Promise<string> {
  const kept = await readFile(paths.nodeToken, 'utf8').catch(() => '');
  const secret = parseToken(token ?? kept.trim()).secret || randomBytes(16).toString('hex');
  await writePrivate(paths.nodeToken, `K10${caHash(ca)}::server:${secret}\n`);
  return secret;
}

/** What agents join with, written down in its full form as k3s does. */
async function agentSecretOf(token: string, ca: string): Promise<string> {
  const { secret } = parseToken(token);
  await writePrivate(paths.agentToken, `K10${caHash(ca)}::node:${secret}\n`);
  return secret;
}

/** Applies the manifests of the server's folder, the image's own included, until it works. */
async function applyManifests(config: string, serviceCidr: string): Promise<void> {
  for (const name of await readdir(paths.shippedManifests)) {
    const text = await readFile(`${paths.shippedManifests}/${name}`, 'utf8');
    const filled = text.replaceAll('%{CLUSTER_DNS}%', addressAt(serviceCidr, 10));
    await writePrivate(`${paths.manifests}/${name}`, filled);
  }
  const apply = ['--kubeconfig', config, 'apply', '--server-side', '--force-conflicts', '-f'];
  await waitFor('the manifests to apply', () => run('kubectl', [...apply, paths.manifests]), {
    everyMs: 1000,
  });
  log('manifests applied');
}

/** Labels that a node may not give itself. */
async function labelServer(client: KubeClient, node: string): Promise<void> {
  const labels = { 'node-role.kubernetes.io/control-plane': 'true' };
  const patch = { metadata: { labels } };
  const type = 'application/merge-patch+json';
  await waitFor(`node ${node}`, () => client.call('PATCH', `/api/v1/nodes/${node}`, patch, type));
}

/** Frees the names of nodes that are deleted while this server runs. */
function freeNamesOfDeletedNodes(client: KubeClient, signal: AbortSignal): void {
  let known = new Set<string>();
  void followNodes(client, signal, async (nodes) => {
    for (const name of known) if (!nodes.has(name)) await forgetNodePassword(client, name);
    known = new Set(nodes.keys());
  });
}

/** Runs a server, which is a node as well; returns when all of it is started. */
export async function startServer(supervisor: Supervisor, context: NodeContext): Promise<void> {
  const { options, nodeAddress, signal } = context;
  const { nodeName } = options;
  const apiUrl = `https://127.0.0.1:${options.httpsPort}`;
  await ensurePki(plane.apiserverSans(options, nodeAddress, hostname()));
  const [{ cert: ca }, admin] = await Promise.all([readPair('ca'), readPair('admin')]);
  const secret = await clusterSecret(options.token, ca);
  const agentSecret = await agentSecretOf(options.agentToken ?? secret, ca);
  const config = async (name: string): Promise<string> => {
    const path = `${paths.pki}/${name}.kubeconfig`;
    await writePrivate(path, kubeconfig({ server: apiUrl, ca, ...(await readPair(name)) }));
    return path;
  };

  await mkdir(paths.etcd, { recursive: true, mode: 0o700 });
  supervisor.start('etcd', 'etcd', plane.etcdArgs);
  const containerd = startContainerd(supervisor);
  await waitFor('etcd', () => fetch(`${plane.etcdUrl}/health`));
  supervisor.start('apiserver', 'kube-apiserver', plane.apiserverArgs(options, nodeAddress));
  const client = new KubeClient({ server: apiUrl, ca, ...admin });
  await waitFor('the API server', () => client.call('GET', '/readyz'));
  log('the API server is ready');

  const controllers = plane.controllerManagerArgs(options, await config('controller-manager'));
  supervisor.start('controller-manager', 'kube-controller-manager', controllers);
  await containerd;
  const { clusterCidr, serviceCidr, enforcesNetworkPolicies } = options;
  const facts = { ca, clusterCidr, serviceCidr, enforcesNetworkPolicies };
  const identity = await nodeIdentity({ nodeName, nodeAddress }, facts);
  await startNode(supervisor, { ...context, identity, apiUrl });
  supervisor.start('scheduler', 'kube-scheduler', plane.schedulerArgs(await config('scheduler')));

  const tls = await readPair('apiserver');
  const admit = ({ nodeName: name, nodePassword }: { nodeName: string; nodePassword: string }) =>
    checkNodePassword(client, name, nodePassword);
  serveJoins({
    ...facts,
    port: options.httpsPort + 1,
    secrets: [secret, agentSecret],
    tls,
    admit,
  });
  freeNamesOfDeletedNodes(client, signal);
  const output = kubeconfig({ server: apiUrl, ca, ...admin });
  await writePrivate(options.kubeconfig, output, options.kubeconfigMode);
  if (options.kubeconfig !== paths.kubeconfig) await writePrivate(paths.kubeconfig, output);

  const adminConfig = await config('admin');
  await Promise.all([
    applyManifests(adminConfig, options.serviceCidr),
    labelServer(client, nodeName),
  ]);
  // The server owns its own name whatever container it is now in: only its secret's presence counts.
  await checkNodePassword(client, nodeName, await ownNodePassword()).catch((error: unknown) =>
    log(`own node password: ${errorText(error)}`),
  );
}
