import { experimental, ServerCredentials } from '@grpc/grpc-js';
import { accessSync, constants } from 'node:fs';
import type { ExternalScalerSettings } from '../settings';

/** How often renewed certificates are looked for. */
const REFRESH_INTERVAL_MS = 30_000;

/** How clients reach the gRPC server, and whether they must show who they are. */
export interface ServerTls {
  readonly credentials: ServerCredentials;
  /** Calls that decide something are only for clients with a certificate of the authority. */
  readonly clientCertificates: boolean;
}

/**
 * Plain text, or, with the three files set, TLS that asks for a client certificate of the given authority.
 *
 * A client that has none gets through the handshake all the same, and each call of its that matters is refused then:
 * of a handshake that fails KEDA says nothing but in its log, of a refused call it makes an event of the ScaledJob.
 * Renewed files are taken up within half a minute.
 * @throws Error naming the setting and the file that cannot be read.
 */
export function serverTls(
  settings: Pick<ExternalScalerSettings, 'tlsCertFile' | 'tlsKeyFile' | 'tlsClientCaFile'>,
): ServerTls {
  if (settings.tlsCertFile === '')
    return { credentials: ServerCredentials.createInsecure(), clientCertificates: false };
  const readable = (name: string, file: string): string => {
    try {
      accessSync(file, constants.R_OK);
      return file;
    } catch (error) {
      throw new Error(`${name}: cannot read ${file}`, { cause: error });
    }
  };
  const files = new experimental.FileWatcherCertificateProvider({
    caCertificateFile: readable('TLS_CLIENT_CA_FILE', settings.tlsClientCaFile),
    certificateFile: readable('TLS_CERT_FILE', settings.tlsCertFile),
    privateKeyFile: readable('TLS_KEY_FILE', settings.tlsKeyFile),
    refreshIntervalMs: REFRESH_INTERVAL_MS,
  });
  return {
    credentials: experimental.createCertificateProviderServerCredentials(files, files, false),
    clientCertificates: true,
  };
}
