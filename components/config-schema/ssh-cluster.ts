import { z } from 'zod';
import { taint } from './nodes';
import { absolutePath, block, dnsLabel, labelKey, labelValue, wholeRange } from './values';

/** Processors that k3s is released for and a host may have. */
export const ARCHITECTURES = ['amd64', 'arm64'] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

const HOST_KEY_HELP =
  'must be the public key that the host itself shows, such as "ssh-ed25519 AAAA…". Read it on the host ' +
  '(cat /etc/ssh/ssh_host_ed25519_key.pub), or with ssh-keyscan -t ed25519 -p PORT ADDRESS over a path that nobody else is on';

const hostKey = z
  .string({ error: HOST_KEY_HELP })
  .regex(/^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp\d{3}) [A-Za-z0-9+/]{40,}={0,2}( [^\r\n]*)?$/, {
    error: HOST_KEY_HELP,
  });

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be a sha256 in 64 hexadecimal digits');
const checksums = z.strictObject({ amd64: sha256.optional(), arm64: sha256.optional() });

const host = z.strictObject({
  name: dnsLabel,
  address: z
    .string()
    .regex(/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/, 'must be an IPv4 address or a host name'),
  port: wholeRange(1, 65_535).default(22),
  user: z
    .string()
    .regex(/^[a-z_][a-z0-9_-]*$/, 'must be the name of a user')
    .default('root'),
  hostKey,
  role: z.enum(['server', 'agent']).default('agent'),
  arch: z.enum(ARCHITECTURES),
  slot: wholeRange(1, 10).optional(),
  eligible: z.boolean().default(true),
  labels: z.record(labelKey, labelValue).default({}),
  taints: z.array(taint).default([]),
  unreachable: z.boolean().default(false),
});

/** k3s on hosts that are reached over SSH. */
export const sshCluster = block({
  version: z
    .string()
    .regex(/^v\d+\.\d+\.\d+(-rc\d+)?\+k3s\d+$/, 'must be a release of k3s such as v1.36.3+k3s1')
    .default('v1.36.3+k3s1'),
  mirror: z
    .url({ protocol: /^https?$/, error: 'must be an http(s) URL' })
    .refine((url) => !/[\s'"\\?#]/.test(url), 'must have no quotes, spaces, ? or #')
    .default('https://github.com/k3s-io/k3s/releases/download'),
  sha256: checksums.prefault({}),
  airGap: block({
    directory: z.union([z.literal(''), absolutePath]).default(''),
    imagesSha256: checksums.prefault({}),
  }),
  hosts: z.array(host).default([]),
  registries: z.record(z.string(), z.unknown()).default({}),
  readyTimeoutSeconds: wholeRange(10, 3600).default(300),
  drainTimeoutSeconds: wholeRange(1, 3600).default(120),
});

export type SshClusterConfig = z.infer<typeof sshCluster>;
export type SshHost = z.infer<typeof host>;

/** A problem with a value at a path inside `cluster.ssh`. */
interface Problem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** What no host alone can be wrong about. */
export function sshClusterProblems(ssh: SshClusterConfig): Problem[] {
  const { hosts, sha256, airGap } = ssh;
  const servers = hosts.filter(({ role }) => role === 'server').length;
  const problems: Problem[] = [];
  if (servers !== 1 && (servers < 3 || servers % 2 === 0))
    problems.push({
      path: ['hosts'],
      message: `has ${servers} hosts with role: server, and must have one, or three or another odd number with embedded etcd`,
    });
  for (const arch of new Set(hosts.map((one) => one.arch))) {
    if (sha256[arch] === undefined)
      problems.push({
        path: ['sha256', arch],
        message: `must be set, since a host has arch: ${arch}: it is in sha256sum-${arch}.txt beside the binary in the mirror`,
      });
    if (airGap.directory !== '' && airGap.imagesSha256[arch] === undefined)
      problems.push({
        path: ['airGap', 'imagesSha256', arch],
        message: `must be set, since a host has arch: ${arch}: it is in sha256sum-${arch}.txt of the release`,
      });
  }
  const seen = new Map<string, number>();
  hosts.forEach((one, index) => {
    const claims = [
      ['name', one.name],
      ['address', `${one.address}:${one.port}`],
      ...(one.slot === undefined ? [] : [['slot', one.slot] as const]),
    ] as const;
    for (const [field, value] of claims) {
      const first = seen.get(`${field}=${value}`);
      if (first === undefined) seen.set(`${field}=${value}`, index);
      else problems.push({ path: ['hosts', index, field], message: `is taken by hosts[${first}]` });
    }
  });
  return problems;
}
