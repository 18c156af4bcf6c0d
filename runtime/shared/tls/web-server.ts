import {
  createServer as createPlainServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { CertificateFiles } from './certificate-files';

/**
 * An HTTP server, over TLS where there are certificates; renewed ones count for the next connection. Where the
 * certificates have an authority clients are asked for theirs, and let in without: see `clientProblem`.
 */
export function createWebServer(
  options: ServerOptions,
  listener: RequestListener,
  certificates: CertificateFiles | undefined,
): Server {
  if (certificates === undefined) return createPlainServer(options, listener);
  const { current } = certificates;
  const server = createTlsServer(
    { ...options, ...current, requestCert: current.ca !== undefined, rejectUnauthorized: false },
    listener,
  );
  certificates.onRenewed((renewed) => server.setSecureContext(renewed));
  return server;
}

/** Why a client has not shown who it is; undefined where it has, or the connection is plain text. */
export function clientProblem({ socket }: IncomingMessage): string | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  // A session that is resumed counts as authorized even where no certificate ever was shown.
  const shown = socket.getPeerCertificate() as { readonly raw?: Buffer } | null;
  if (shown?.raw === undefined) return 'none was shown';
  return socket.authorized ? undefined : String(socket.authorizationError);
}

/** Listens; port 0 takes a free one, which is returned. @throws when the port is taken. */
export async function listen(server: Server, port: number, host: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return (server.address() as AddressInfo).port;
}

/** Stops listening, and ends what is open. */
export const closeServer = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
