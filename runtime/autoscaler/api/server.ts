import type { CertificateFiles } from '../../shared/tls/certificate-files';
import { closeServer, createWebServer, listen } from '../../shared/tls/web-server';
import { createApp, type AppOptions } from './app';

/** Where and how it is served. */
export interface ApiPlace {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** With these it speaks TLS and nothing else. */
  readonly certificates?: CertificateFiles | undefined;
}

/** The REST API, listening. */
export interface ApiServer {
  readonly port: number;
  close(): Promise<void>;
}

const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;

/** Serves the REST API. @throws when the port is taken */
export async function startApi(
  options: AppOptions,
  { host, port, certificates }: ApiPlace,
): Promise<ApiServer> {
  const server = createWebServer(
    { headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS },
    createApp(options),
    certificates,
  );
  const bound = await listen(server, port, host);
  return { port: bound, close: () => closeServer(server) };
}
