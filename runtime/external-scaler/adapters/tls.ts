import { experimental, ServerCredentials } from '@grpc/grpc-js';
import type { CertificateFiles, Certificates } from '../../shared/tls/certificate-files';

/** How clients reach the gRPC server, and whether they must show who they are. */
export interface ServerTls {
  readonly credentials: ServerCredentials;
  /** Calls that decide something are only for clients with a certificate of the authority. */
  readonly clientCertificates: boolean;
}

/**
 * Plain text, or, with certificates, TLS that asks for a client certificate of their authority. Renewed ones are taken up.
 *
 * A client that has none gets through the handshake all the same, and each call of its that matters is refused then:
 * of a handshake that fails KEDA says nothing but in its log, of a refused call it makes an event of the ScaledJob.
 */
export function serverTls(files: CertificateFiles | undefined): ServerTls {
  if (files === undefined)
    return { credentials: ServerCredentials.createInsecure(), clientCertificates: false };
  const provider = new CertificateProvider(files);
  return {
    credentials: experimental.createCertificateProviderServerCredentials(provider, provider, false),
    clientCertificates: true,
  };
}

/** The files as gRPC wants to be told of them: at first, and whenever they were renewed. */
class CertificateProvider implements experimental.CertificateProvider {
  readonly #ends = new Map<unknown, () => void>();

  constructor(private readonly files: CertificateFiles) {}

  addCaCertificateListener(listener: experimental.CaCertificateUpdateListener): void {
    this.#tell(listener, ({ ca }) => listener(ca === undefined ? null : { caCertificate: ca }));
  }
  addIdentityCertificateListener(listener: experimental.IdentityCertificateUpdateListener): void {
    this.#tell(listener, ({ cert, key }) => listener({ certificate: cert, privateKey: key }));
  }
  removeCaCertificateListener(listener: experimental.CaCertificateUpdateListener): void {
    this.#forget(listener);
  }
  removeIdentityCertificateListener(
    listener: experimental.IdentityCertificateUpdateListener,
  ): void {
    this.#forget(listener);
  }

  #tell(listener: unknown, tell: (certificates: Certificates) => void): void {
    this.#forget(listener);
    this.#ends.set(listener, this.files.onRenewed(tell));
    // gRPC takes the first word only after it has added the listener.
    queueMicrotask(() => {
      if (this.#ends.has(listener)) tell(this.files.current);
    });
  }
  #forget(listener: unknown): void {
    this.#ends.get(listener)?.();
    this.#ends.delete(listener);
  }
}
