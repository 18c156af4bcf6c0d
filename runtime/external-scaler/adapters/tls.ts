import { ServerCredentials } from '@grpc/grpc-js';
import { readFileSync } from 'node:fs';
import type { ExternalScalerSettings } from '../settings';

/**
 * The credentials of the gRPC server: plain text, or, with the three files set, TLS that requires a client certificate
 * of the given authority.
 * @throws Error naming the setting and the file that cannot be read or used.
 */
export function serverCredentials(
  settings: Pick<ExternalScalerSettings, 'tlsCertFile' | 'tlsKeyFile' | 'tlsClientCaFile'>,
): ServerCredentials {
  if (settings.tlsCertFile === '') return ServerCredentials.createInsecure();
  const read = (name: string, file: string): Buffer => {
    try {
      return readFileSync(file);
    } catch (error) {
      throw new Error(`${name}: cannot read ${file}`, { cause: error });
    }
  };
  return ServerCredentials.createSsl(
    read('TLS_CLIENT_CA_FILE', settings.tlsClientCaFile),
    [
      {
        cert_chain: read('TLS_CERT_FILE', settings.tlsCertFile),
        private_key: read('TLS_KEY_FILE', settings.tlsKeyFile),
      },
    ],
    true,
  );
}
