import type { ProberScores } from '../../runtime/shared/prober-scores';

/** The node with the traffic. */
export const BUSIEST = 'n0';
const FULL_SCALE_MS = 100;
const LANDMARKS = 8;

export const nodeNames = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `n${index}`);

/** What is known of a node, the same in every run: some nodes in ten are too busy, or too far away. */
export function readingOf(name: string): { cpuRatio: number; latencyRatio: number } {
  const index = Number(name.slice(1));
  const latencyRatio = name === BUSIEST ? 0 : 0.01 + ((index * 7919) % 541) / 1000;
  return { cpuRatio: ((index * 104_729) % 907) / 1000, latencyRatio };
}

/** What the prober of a node answers, with as many peers as it measures to. */
export function scoresOf(name: string): ProberScores {
  const { cpuRatio, latencyRatio } = readingOf(name);
  const latency = { latencyMs: latencyRatio * FULL_SCALE_MS, latencyRatio };
  const index = Number(name.slice(1));
  const landmarks = Array.from({ length: LANDMARKS }, (_, step) => `n${index + step + 1}`);
  const asked = [BUSIEST, ...landmarks].filter((peer) => peer !== name);
  return {
    node: name,
    cpu: { cpuRatio, ageMs: 500, cores: 4, source: 'proc' },
    fullScaleMs: FULL_SCALE_MS,
    median: latency,
    peers: Object.fromEntries(asked.map((peer) => [peer, { ...latency, ageMs: 900, samples: 40 }])),
    unknownPeers: {},
    simulated: false,
  };
}

/** A node about as large as real ones are, most of which is the list of images that it holds. */
export function nodeObject(name: string): object {
  const amounts = { cpu: '4', memory: '8Gi', pods: '110', 'ephemeral-storage': '20Gi' };
  const condition = (type: string, status: string) => ({
    type,
    status,
    reason: `Kubelet${type}`,
    message: `kubelet has reported ${type} as ${status}`,
    lastHeartbeatTime: '2026-01-01T00:00:00Z',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  });
  const image = (index: number) => ({
    names: [
      `registry.example.org/some/image-${index}@sha256:${String(index).padStart(64, '0')}`,
      `registry.example.org/some/image-${index}:1.${index}`,
    ],
    sizeBytes: 10_000_000 + index,
  });
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/arch': 'arm64',
        'kubernetes.io/os': 'linux',
        'node.kubernetes.io/instance-type': 'k3s',
      },
      annotations: { 'node.alpha.kubernetes.io/ttl': '0' },
    },
    spec: { providerID: `k3s://${name}` },
    status: {
      allocatable: amounts,
      capacity: amounts,
      conditions: [
        condition('MemoryPressure', 'False'),
        condition('DiskPressure', 'False'),
        condition('PIDPressure', 'False'),
        condition('Ready', 'True'),
      ],
      addresses: [
        { type: 'InternalIP', address: '10.0.0.1' },
        { type: 'Hostname', address: name },
      ],
      images: Array.from({ length: 25 }, (_, index) => image(index)),
    },
  };
}
