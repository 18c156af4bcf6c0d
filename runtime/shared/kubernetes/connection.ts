import { KubeConfig } from '@kubernetes/client-node/dist/config.js';
import { existsSync } from 'node:fs';
import type { RequestOptions } from 'node:https';

/** What it takes to talk to an API server. */
export interface KubeConnection {
  /** Scheme, host and port. */
  readonly origin: string;
  /** Path before /api, without a slash at its end; usually empty. */
  readonly prefix: string;
  readonly tls: {
    readonly ca?: string | Buffer;
    readonly cert?: string | Buffer;
    readonly key?: string | Buffer;
    readonly servername?: string;
    readonly rejectUnauthorized?: boolean;
  };
  /** Headers that authenticate a request; a token is read again as it is renewed. */
  headers(): Promise<Readonly<Record<string, string>>>;
}

const HEADER_LIFE_MS = 30_000;

/**
 * The connection a kubeconfig file describes, or, with an empty path, that of the service account of this pod.
 * @throws when the file cannot be read or there is neither.
 */
export async function loadConnection(kubeconfigPath: string): Promise<KubeConnection> {
  const config = new KubeConfig();
  if (kubeconfigPath !== '') config.loadFromFile(kubeconfigPath);
  else if (existsSync('/var/run/secrets/kubernetes.io/serviceaccount/token')) {
    config.loadFromCluster();
  } else {
    throw new Error(
      'not in a cluster and no kubeconfig given: set KUBECONFIG or pass --kubeconfig PATH',
    );
  }
  return connectionOf(config);
}

/** The connection of a loaded kubeconfig. */
export async function connectionOf(config: KubeConfig): Promise<KubeConnection> {
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error('the kubeconfig names no current cluster');
  const url = new URL(cluster.server);
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const text = (value: unknown): string | Buffer | undefined =>
    typeof value === 'string' || Buffer.isBuffer(value) ? value : undefined;
  const ca = text(options.ca);
  const cert = text(options.cert);
  const key = text(options.key);
  let cached: { readonly headers: Record<string, string>; readonly untilMs: number } | undefined;
  return {
    origin: url.origin,
    prefix: url.pathname.replace(/\/+$/, ''),
    tls: {
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
      ...(cluster.tlsServerName !== undefined && { servername: cluster.tlsServerName }),
      ...(cluster.skipTLSVerify === true && { rejectUnauthorized: false }),
    },
    headers: async () => {
      if (cached === undefined || performance.now() > cached.untilMs) {
        cached = { headers: await headersOf(config), untilMs: performance.now() + HEADER_LIFE_MS };
      }
      return cached.headers;
    },
  };
}

async function headersOf(config: KubeConfig): Promise<Record<string, string>> {
  const options: RequestOptions = { headers: {} };
  await config.applyToHTTPSOptions(options);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    if (value !== undefined && value !== null) headers[name.toLowerCase()] = String(value).trim();
  }
  if (typeof options.auth === 'string') {
    headers['authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  }
  return headers;
}
