import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import * as plane from './control-plane';
import { datastoreKind, prepareMember, type EmbeddedMember } from './embedded-etcd';
import { etcdMembers } from './etcd-client';
import { keepEtcdMembers, memberMetadata } from './etcd-nodes';
import { addressAt, type NodeOptions } from './flags';
import { bootstrapServer } from './join-client';
import { nodeIdentity, serveJoins } from './join-server';
import { parseToken, type ServerBootstrap } from './join-protocol';
import { KubeClient } from './kube-client';
import { kubeconfig } from './kubeconfig';
import { errorText, log } from './log';
import { startContainerd, startNode, type NodeContext } from './node';
import { checkNodePassword, forgetNodePassword, ownNodePassword } from './node-password';
import { followNodes } from './nodes';
import { paths } from './paths';
import { caHash, ensurePki, readPair, sharedPki, takeSharedPki, writePrivate } from './pki';
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

/** Labels that a node may not give itself, and what its Node says of its member of etcd. */
async function labelServer(
  client: KubeClient,
  node: string,
  member: EmbeddedMember | undefined,
): Promise<void> {
  const labels = { 'node-role.kubernetes.io/control-plane': 'true' };
  const type = 'application/merge-patch+json';
  const patches = [{ labels }, ...(member === undefined ? [] : [memberMetadata(member)])];
  for (const metadata of patches) {
    const patch = { metadata };
    await waitFor(`node ${node}`, () => client.call('PATCH', `/api/v1/nodes/${node}`, patch, type));
  }
}

/** Takes over what all servers share from the one that is joined. @returns where etcd's members answer */
async function joinServers({ serverUrl = '', token = '' }: NodeOptions): Promise<string[]> {
  const { pki, etcdUrls } = await bootstrapServer(serverUrl, token);
  await takeSharedPki(pki);
  return etcdUrls;
}

/** What a server that joins this one needs. */
async function bootstrap(): Promise<ServerBootstrap> {
  const voting = (await etcdMembers([plane.etcdUrl])).filter(({ isLearner }) => !isLearner);
  return { pki: await sharedPki(), etcdUrls: voting.map(({ clientUrl }) => clientUrl) };
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
  const kind = await datastoreKind(options);
  const others = kind === 'joining' ? await joinServers(options) : [];
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
  const member =
    kind === 'lone' ? undefined : await prepareMember(kind, options, nodeAddress, others);
  const isOneOfMany = member !== undefined;
  supervisor.start('etcd', 'etcd', member?.args ?? plane.loneEtcdArgs, member?.onLine);
  const containerd = startContainerd(supervisor);
  await waitFor('etcd', () => fetch(`${plane.etcdUrl}/health`));
  await member?.voting();
  supervisor.start('apiserver', 'kube-apiserver', plane.apiserverArgs(options, nodeAddress));
  const client = new KubeClient({ server: apiUrl, ca, ...admin });
  await waitFor('the API server', () => client.call('GET', '/readyz'));
  log('the API server is ready');

  const controllers = plane.controllerManagerArgs(
    options,
    await config('controller-manager'),
    isOneOfMany,
  );
  supervisor.start('controller-manager', 'kube-controller-manager', controllers);
  await containerd;
  const { clusterCidr, serviceCidr, enforcesNetworkPolicies } = options;
  const facts = { ca, clusterCidr, serviceCidr, enforcesNetworkPolicies };
  const identity = await nodeIdentity({ nodeName, nodeAddress }, facts);
  await startNode(supervisor, { ...context, identity, apiUrl });
  const schedules = plane.schedulerArgs(await config('scheduler'), isOneOfMany);
  supervisor.start('scheduler', 'kube-scheduler', schedules);

  const tls = await readPair('apiserver');
  const admit = ({ nodeName: name, nodePassword }: { nodeName: string; nodePassword: string }) =>
    checkNodePassword(client, name, nodePassword);
  serveJoins({
    ...facts,
    port: options.httpsPort + 1,
    serverSecret: secret,
    agentSecret,
    bootstrap: isOneOfMany ? bootstrap : undefined,
    tls,
    admit,
  });
  freeNamesOfDeletedNodes(client, signal);
  if (isOneOfMany) keepEtcdMembers(client, signal);
  const output = kubeconfig({ server: apiUrl, ca, ...admin });
  await writePrivate(options.kubeconfig, output, options.kubeconfigMode);
  if (options.kubeconfig !== paths.kubeconfig) await writePrivate(paths.kubeconfig, output);

  const adminConfig = await config('admin');
  await Promise.all([
    applyManifests(adminConfig, options.serviceCidr),
    labelServer(client, nodeName, member),
  ]);
  // The server owns its own name whatever container it is now in: only its secret's presence counts.
  await checkNodePassword(client, nodeName, await ownNodePassword()).catch((error: unknown) =>
    log(`own node password: ${errorText(error)}`),
  );
}
