import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import type { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { proxiedService, type ProxiedService } from '../service-proxy';
import { messageOf, UserError } from '../user-error';

/** A way to a server that is reached under another address than its own. */
export interface Tunnel {
  /** The same URL, with the address under which the server is reached from here. */
  readonly url: string;
  /** Why a connection through it failed last, if one did. */
  problem(): string | undefined;
  close(): Promise<void>;
}

/**
 * A way to the server of a URL: through the API server to a pod of the Service that the URL names
 * (`NAME.NAMESPACE.svc`), as `kubectl port-forward` goes; straight to any other server.
 * @throws UserError where no pod of the Service is ready.
 */
export async function openTunnel(config: KubeConfig, url: string): Promise<Tunnel> {
  const service = proxiedService(url);
  if (service === undefined)
    return { url, problem: () => undefined, close: () => Promise.resolve() };
  const { CoreV1Api, PortForward } = await import('@kubernetes/client-node');
  const pod = await readyPod(config.makeApiClient(CoreV1Api), service);
  const forward = new PortForward(config);
  const sockets = new Set<Socket>();
  let problem: string | undefined;
  const failed = (socket: Socket, error: unknown) => {
    problem = messageOf(error);
    socket.destroy();
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    const refused = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        if (chunk.length > 0) failed(socket, new Error(chunk.toString().trim()));
        done();
      },
    });
    // What the client says before the way is open waits in the socket.
    forward
      .portForward(service.namespace, pod, [service.port], socket, refused, socket)
      .then((opened) => {
        const way = typeof opened === 'function' ? opened() : opened;
        if (way === null) return;
        way.addEventListener('close', () => socket.end());
        way.addEventListener('error', () => socket.destroy());
        socket.on('close', () => way.close());
      })
      .catch((error: unknown) => failed(socket, error));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: withAddress(url, `127.0.0.1:${port}`),
    problem: () => problem,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

/** The URL with another host and port. A `URL` does not change those of every protocol. */
export const withAddress = (url: string, address: string): string =>
  url.replace(/^([a-z+]+:\/\/(?:[^@/]*@)?)[^/?#]*/, `$1${address}`);

async function readyPod(core: CoreV1Api, { name, namespace }: ProxiedService): Promise<string> {
  const { spec } = await core.readNamespacedService({ name, namespace });
  const labelSelector = Object.entries(spec?.selector ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join();
  const { items } = await core.listNamespacedPod({ namespace, labelSelector });
  const ready = items.find(
    ({ metadata, status }) =>
      metadata?.deletionTimestamp === undefined &&
      status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True'),
  );
  if (ready?.metadata?.name === undefined)
    throw new UserError(
      `${namespace}/${name}: no pod of it is ready (kubectl get pods -n ${namespace})`,
    );
  return ready.metadata.name;
}
