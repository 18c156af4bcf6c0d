/** A service inside the cluster, as the API server's service proxy addresses it. */
export interface ProxiedService {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
  /** Whether it speaks TLS. The API server looks at no certificate of a service's. */
  readonly tls?: boolean;
}

/** The service in the cluster that a URL names (`http://NAME.NAMESPACE.svc:PORT`, or `https:`); undefined for any other URL. */
export function proxiedService(url: string): ProxiedService | undefined {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const [name, namespace, svc] = parsed?.hostname.split('.') ?? [];
  if (!parsed || !name || !namespace || svc !== 'svc') return undefined;
  const tls = parsed.protocol === 'https:';
  return { name, namespace, port: Number(parsed.port || (tls ? 443 : 80)), ...(tls && { tls }) };
}

/** The API server's path to a path (`/…`) of a service. */
export const proxyPath = ({ namespace, name, port, tls }: ProxiedService, path: string): string =>
  `/api/v1/namespaces/${namespace}/services/${tls ? 'https' : 'http'}:${name}:${port}/proxy${path}`;
