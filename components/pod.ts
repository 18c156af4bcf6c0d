/** The user that every Berth image runs as. */
export const SERVICE_UID = 10001;

/** Pod-level half of what the `restricted` Pod Security level asks. */
export const restrictedPod = (uid = SERVICE_UID) => ({
  runAsNonRoot: true,
  runAsUser: uid,
  runAsGroup: uid,
  fsGroup: uid,
  seccompProfile: { type: 'RuntimeDefault' },
});

/** Container-level half of what the `restricted` Pod Security level asks, and a root file system one cannot write to. */
export const restrictedContainer = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};

/** The kubelet asks whoever answers there: it looks at no certificate. */
const httpGet = (path: string, port: number, tls: boolean) => ({
  ...{ path, port },
  ...(tls && { scheme: 'HTTPS' }),
});

/** Probes of a service that answers `/healthz` and `/readyz` on a port. */
export const httpProbes = (port: number, tls = false) => ({
  livenessProbe: {
    httpGet: httpGet('/healthz', port, tls),
    periodSeconds: 10,
    timeoutSeconds: 5,
    failureThreshold: 6,
  },
  readinessProbe: { httpGet: httpGet('/readyz', port, tls), periodSeconds: 2, timeoutSeconds: 5 },
  startupProbe: {
    httpGet: httpGet('/healthz', port, tls),
    periodSeconds: 1,
    timeoutSeconds: 5,
    failureThreshold: 120,
  },
});

/** Annotations by which Prometheus finds a pod's metrics. */
export const scraped = (port: number, tls = false) => ({
  ...(tls && { 'prometheus.io/scheme': 'https' }),
  'prometheus.io/scrape': 'true',
  'prometheus.io/port': String(port),
  'prometheus.io/path': '/metrics',
});

/** Affinity of replicas that would rather not share a node with one another. */
export const spreadOverNodes = (labels: Readonly<Record<string, string>>) => ({
  podAntiAffinity: {
    preferredDuringSchedulingIgnoredDuringExecution: [
      {
        weight: 100,
        podAffinityTerm: {
          topologyKey: 'kubernetes.io/hostname',
          labelSelector: { matchLabels: { ...labels } },
        },
      },
    ],
  },
});
