import { parse } from 'yaml';

interface Mirror {
  endpoint?: string[];
}
interface RegistriesFile {
  mirrors?: Record<string, Mirror | null>;
  configs?: Record<string, { tls?: { insecure_skip_verify?: boolean } }>;
}

/** Where a registry is really served when nothing else is said. */
function upstream(registry: string): string {
  return registry === 'docker.io' ? 'https://registry-1.docker.io' : `https://${registry}`;
}

/**
 * Turns k3s's registries.yaml into containerd's per-registry hosts.toml.
 * @returns directory name under certs.d -> text of its hosts.toml.
 * @throws Error when a key is not `mirrors` or `configs`, or an endpoint is not a http(s) URL.
 */
export function hostsToml(registriesYaml: string): Map<string, string> {
  const file = (parse(registriesYaml) ?? {}) as RegistriesFile;
  const unknown = Object.keys(file).filter((key) => key !== 'mirrors' && key !== 'configs');
  if (unknown.length > 0) throw new Error(`registries.yaml: unknown key ${unknown.join(', ')}`);
  const files = new Map<string, string>();
  for (const [registry, mirror] of Object.entries(file.mirrors ?? {})) {
    const lines: string[] = [];
    if (registry !== '*') lines.push(`server = ${JSON.stringify(upstream(registry))}`, '');
    for (const endpoint of mirror?.endpoint ?? []) {
      const url = new URL(endpoint);
      if (url.protocol !== 'http:' && url.protocol !== 'https:')
        throw new Error(`registries.yaml: ${endpoint} is neither http nor https`);
      lines.push(`[host.${JSON.stringify(endpoint.replace(/\/$/, ''))}]`);
      lines.push('  capabilities = ["pull", "resolve"]');
      if (file.configs?.[url.host]?.tls?.insecure_skip_verify) lines.push('  skip_verify = true');
      lines.push('');
    }
    files.set(registry === '*' ? '_default' : registry, lines.join('\n'));
  }
  return files;
}
