import { isIP } from 'node:net';
import {
  EXPERIMENT_NAMESPACE,
  LOAD_TEMPLATE_NAME,
  WORKLOADS,
} from '../../runtime/experiment/names';
import type { EstateConfig } from '../config';
import {
  ANALYZER_LABELS,
  AUTOSCALER_NAME,
  CPU_SCHEDULER_NAME,
  EXTERNAL_SCALER_NAME,
  LATENCY_EXTENDER_NAME,
  LATENCY_SCHEDULER_NAME,
  NAMESPACES,
  NODE_CONTROLLER_NAME,
} from '../plan';
import { nodeBlocks, type AddressBlock } from './node-blocks';

/** Pods of a namespace (of any, where there is none) with these labels (all of them, where there are none). */
export interface Pods {
  readonly kind: 'pods';
  readonly namespace?: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
}
/** Addresses that are no pod's. */
export interface Addresses {
  readonly kind: 'addresses';
  readonly blocks: readonly AddressBlock[];
}
/** Whoever, wherever. */
export interface Anywhere {
  readonly kind: 'anywhere';
}
/** An end of a flow. */
export type Endpoint = Pods | Addresses | Anywhere;

const named = (name: string) => ({ 'app.kubernetes.io/name': name });
const podsOf = (namespace: string | undefined, labels: Pods['labels'] = {}): Pods => ({
  kind: 'pods',
  namespace,
  labels,
});
const inSystem = (name: string) => podsOf(NAMESPACES.system, named(name));
const inPosture = (name: string) => podsOf(NAMESPACES.posture, named(name));

/** A server by its host name: its namespace, where that is a Service's, else its address, else wherever the name leads. */
export function endpointOfHost(host: string): Endpoint {
  const [, namespace] = /^[^.]+\.([^.]+)\.svc(?:\.|$)/.exec(host) ?? [];
  if (namespace !== undefined) return podsOf(namespace);
  const version = isIP(host);
  if (version === 0) return { kind: 'anywhere' };
  return { kind: 'addresses', blocks: [{ cidr: `${host}/${version === 4 ? 32 : 128}` }] };
}

/** Every end that a flow of the estate can have, by name; undefined for what this configuration does without. */
export function endpointsOf(config: EstateConfig) {
  const { systems, platform, posture } = config;
  const { autoscaling, cpuScheduling, eventScaling, experiment, latencyScheduling } = systems;
  const analyzers = cpuScheduling.enabled || eventScaling.enabled;
  const kedaAsks = eventScaling.enabled && eventScaling.release === 'keda';
  const hasTraffic = platform.traefik.enabled && latencyScheduling.traffic.node !== '';
  const nodes: Addresses = { kind: 'addresses', blocks: nodeBlocks(config) };
  const iff = <T extends Endpoint>(present: boolean, endpoint: T) =>
    present ? endpoint : undefined;
  return {
    'cpu-scheduler': iff(cpuScheduling.enabled, inSystem(CPU_SCHEDULER_NAME)),
    mosquitto: iff(analyzers, inSystem('mosquitto')),
    'image-feeder': iff(analyzers, inSystem('image-feeder')),
    'latency-extender': iff(latencyScheduling.enabled, inSystem(LATENCY_EXTENDER_NAME)),
    'latency-scheduler': iff(latencyScheduling.enabled, inSystem(LATENCY_SCHEDULER_NAME)),
    autoscaler: iff(autoscaling.enabled, inSystem(AUTOSCALER_NAME)),
    redis: iff(autoscaling.enabled, inSystem('redis')),
    mongodb: iff(autoscaling.enabled, inSystem('mongodb')),
    analyzers: iff(analyzers, podsOf(NAMESPACES.posture, ANALYZER_LABELS)),
    'node-controller': iff(eventScaling.enabled, inPosture(NODE_CONTROLLER_NAME)),
    'external-scaler': iff(kedaAsks, inPosture(EXTERNAL_SCALER_NAME)),
    keda: iff(kedaAsks, podsOf(platform.keda.namespace)),
    prober: iff(latencyScheduling.enabled, podsOf(NAMESPACES.probers, named('prober'))),
    hellopod: iff(latencyScheduling.enabled, podsOf(NAMESPACES.hello, named('hellopod'))),
    'traffic-generator': iff(
      latencyScheduling.enabled && hasTraffic,
      podsOf(NAMESPACES.hello, named('traffic-generator')),
    ),
    // One that the cluster has of its own is wherever it is; k3s has it in kube-system.
    traefik: iff(
      latencyScheduling.enabled,
      platform.traefik.enabled
        ? podsOf(platform.traefik.namespace)
        : podsOf(undefined, named('traefik')),
    ),
    ...(Object.fromEntries(
      WORKLOADS.map(({ deployment }) => [
        deployment,
        iff(experiment.enabled, podsOf(EXPERIMENT_NAMESPACE, named(deployment))),
      ]),
    ) as Record<'wl-deployment' | 'wl-deployment2', Pods | undefined>),
    'load-generator': iff(
      experiment.enabled,
      podsOf(EXPERIMENT_NAMESPACE, named(LOAD_TEMPLATE_NAME)),
    ),
    // Not ours:
    dns: podsOf('kube-system', { 'k8s-app': 'kube-dns' }),
    'api-server': nodes,
    prometheus: platform.prometheus.enabled
      ? podsOf(platform.prometheus.namespace, named('prometheus'))
      : endpointOfHost(new URL(platform.prometheus.url).hostname),
    'docker-socket-proxy': iff(autoscaling.enabled, nodes),
    database: iff(analyzers && posture.database.enabled, endpointOfHost(posture.database.host)),
    anyone: { kind: 'anywhere' } satisfies Anywhere,
  } as const satisfies Readonly<Record<string, Endpoint | undefined>>;
}

export type EndpointName = keyof ReturnType<typeof endpointsOf>;

/** The namespaces that Berth makes, and so closes. Those that a chart makes for itself may be shared with others. */
export function ownNamespaces(config: EstateConfig): string[] {
  const { systems, platform } = config;
  const { enabled: latency } = systems.latencyScheduling;
  const { enabled: events, release } = systems.eventScaling;
  return [
    NAMESPACES.system,
    NAMESPACES.posture,
    ...(latency ? [NAMESPACES.probers, NAMESPACES.hello] : []),
    ...(latency && platform.traefik.enabled ? [platform.traefik.namespace] : []),
    ...(events && release === 'keda' && platform.keda.enabled ? [platform.keda.namespace] : []),
    ...(systems.experiment.enabled ? [EXPERIMENT_NAMESPACE] : []),
  ];
}
