/** A service inside the cluster, as the API server's service proxy addresses it. */
export interface ProxiedService {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
}

/** The service in the cluster that a URL names (`http://NAME.NAMESPACE.svc:PORT`); undefined for any other URL. */
export function proxiedService(url: string): ProxiedService | undefined {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const [name, namespace, svc] = parsed?.hostname.split('.') ?? [];
  if (!parsed || !name || !namespace || svc !== 'svc') return undefined;
  return { name, namespace, port: Number(parsed.port || 80) };
}

/** The API server's path to a path (`/…`) of a service. */
export const proxyPath = ({ namespace, name, port }: ProxiedService, path: string): string =>
  `/api/v1/namespaces/${namespace}/services/http:${name}:${port}/proxy${path}`;
