import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { run } from '../../lab/exec';
import { ensureHostPackages } from '../../lab/programs';
import { consoleReporter } from '../../lab/report';
import { k3sBinary } from '../../lab/ssh-host/k3s-binary';
import { loadSshHostImage, SSH_HOST_IMAGE } from '../../lab/ssh-host/image';
import { eventually } from './kube';
import { nodeContainerFlags } from './lab-cluster';
import { startLabEngine, type LabEngine } from './lab-engine';

/** First of the ports at which the hosts' sshd answer. */
const SSH_PORT = 2201;

/** Where the API server of the n-th host, counted from 0, is reached; as a k3s server, the first one's supervisor too. */
export const apiPort = (index: number): number => 6443 + 10 * index;

/** A host with a real sshd. */
export interface LabHost {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly hostKey: string;
}

/** Hosts, and a mirror with releases of k3s. */
export interface LabHosts {
  readonly engine: LabEngine;
  readonly hosts: readonly LabHost[];
  /** PEM of the key that all of them let in but the last one. */
  readonly privateKey: string;
  /** PEM of the key that the last one lets in, and no other. */
  readonly lastPrivateKey: string;
  readonly mirror: string;
  /** Serves a release. @returns the sha256 of its binary */
  addRelease(version: string): Promise<string>;
  /** Runs a shell command on a host, past sshd, and gives what it printed. */
  on(host: string, script: string): Promise<string>;
  stop(): Promise<void>;
}

/** Starts hosts in an engine of the test's own; the API servers of the first ones are published. */
export async function startLabHosts(names: readonly string[], servers = 1): Promise<LabHosts> {
  const reporter = consoleReporter();
  const tools = await ensureHostPackages(reporter);
  const engine = await startLabEngine();
  const folder = await mkdtemp(path.join(tmpdir(), 'berth-hosts-'));
  const releases = new Map<string, string>();
  let mirror: Server | undefined;
  const stop = async () => {
    mirror?.closeAllConnections();
    mirror?.close();
    await engine.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const { ctx } = engine;
    await loadSshHostImage(
      { command: tools.docker, env: { ...tools.env, DOCKER_HOST: ctx.dockerHost } },
      reporter,
    );
    await key(folder, 'user');
    await key(folder, 'last-user');
    const hosts: LabHost[] = [];
    for (const [index, name] of names.entries())
      hosts.push(
        await startHost(engine, folder, name, {
          port: SSH_PORT + index,
          api: index < servers ? apiPort(index) : undefined,
          user: index > 0 && index === names.length - 1 ? 'last-user' : 'user',
        }),
      );
    mirror = await serve(releases, ctx.hostAddress);
    const { port } = mirror.address() as AddressInfo;
    for (const host of hosts) await eventually(`sshd of ${host.name}`, () => scan(host), 120_000);
    return {
      engine,
      hosts,
      privateKey: await readFile(path.join(folder, 'user'), 'utf8'),
      lastPrivateKey: await readFile(path.join(folder, 'last-user'), 'utf8'),
      mirror: `http://${ctx.hostAddress}:${port}`,
      addRelease: async (version) => {
        const binary = k3sBinary(version);
        releases.set(`/${encodeURIComponent(version)}/k3s`, binary);
        releases.set(`/${encodeURIComponent(version)}/k3s-arm64`, binary);
        return createHash('sha256').update(binary).digest('hex');
      },
      on: (host, script) => engine.docker('exec', host, 'sh', '-c', script),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startHost(
  engine: LabEngine,
  folder: string,
  name: string,
  { port, api, user }: { port: number; api: number | undefined; user: string },
): Promise<LabHost> {
  const { address } = engine.ctx;
  const published = api === undefined ? [] : [6443, 6444].map((one, index) => [api + index, one]);
  await engine.docker(
    ...['create', '--name', name, '--hostname', name, '--memory', '3g'],
    ...['--publish', `${address}:${port}:22`],
    ...published.flatMap(([out, inside]) => ['--publish', `${address}:${out}:${inside}`]),
    ...nodeContainerFlags(),
    SSH_HOST_IMAGE,
  );
  const hostKey = await key(folder, name);
  await engine.docker('cp', path.join(folder, name), `${name}:/etc/ssh/lab_host_key`);
  await engine.docker(
    'cp',
    path.join(folder, `${user}.pub`),
    `${name}:/etc/ssh/lab_authorized_keys`,
  );
  await engine.docker('start', name);
  return { name, address, port, hostKey };
}

/** Makes a key pair. @returns the public one */
async function key(folder: string, name: string): Promise<string> {
  const file = path.join(folder, name);
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', file]);
  const text = (await readFile(`${file}.pub`, 'utf8')).trim();
  await writeFile(`${file}.pub`, `${text}\n`, { mode: 0o600 });
  return text;
}

async function scan({ address, port }: LabHost): Promise<boolean> {
  const { stdout } = await run('ssh-keyscan', ['-T', '5', '-p', String(port), address]);
  return stdout.includes('ssh-ed25519');
}

async function serve(files: ReadonlyMap<string, string>, address: string): Promise<Server> {
  const server = createServer((request, response) => {
    const file = files.get(request.url ?? '');
    if (file === undefined) response.writeHead(404).end();
    else response.end(file);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, address, resolve);
  });
  return server;
}
