import type { Node, Pod, PodStatus } from '../../shared/kubernetes/types';
import { quantityToUnits } from '../../shared/quantity';
import { placementOf } from '../annotations';
import { nodeResourcesOf, podRequests } from '../policy/pod-requests';
import { unhandledNeeds } from '../policy/unhandled-needs';
import type { HostPort, NodeInfo, PodInfo, Resources } from '../types';

const NOTHING: Resources = {
  cpuMillis: 0,
  memoryBytes: 0,
  ephemeralStorageBytes: 0,
  others: new Map(),
};
const NO_LABELS: Readonly<Record<string, string>> = {};

/** Called with what could not be read in an object, which is then taken as asking for, or offering, nothing. */
export type OnBadObject = (what: string, error: unknown) => void;

/** The node as the policies see it. */
export function projectNode(node: Node, onBad: OnBadObject): NodeInfo {
  const { metadata, spec, status } = node;
  const addresses = (type: string): string[] =>
    (status?.addresses ?? []).filter((one) => one.type === type).map(({ address }) => address);
  const hostname = metadata.labels?.['kubernetes.io/hostname'];
  let allocatable = NOTHING;
  let allocatablePods = 0;
  try {
    allocatable = nodeResourcesOf(status?.allocatable);
    allocatablePods = quantityToUnits(status?.allocatable?.['pods'] ?? 0);
  } catch (error) {
    onBad(`node ${metadata.name}`, error);
  }
  return {
    name: metadata.name,
    uid: metadata.uid,
    labels: metadata.labels ?? NO_LABELS,
    taints: spec?.taints ?? [],
    unschedulable: spec?.unschedulable ?? false,
    ready:
      status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') ?? false,
    internalIps: addresses('InternalIP'),
    hostnames: [...addresses('Hostname'), ...(hostname === undefined ? [] : [hostname])],
    allocatable,
    allocatablePods,
  };
}

/** The pod as the policies see it. */
export function projectPod(pod: Pod, onBad: OnBadObject): PodInfo {
  const { metadata, spec, status } = pod;
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
  const nodeAffinity = spec.affinity?.nodeAffinity;
  const requiredTerms =
    nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  const boundAtMs = spec.nodeName ? boundAt(pod) : undefined;
  const startedAtMs = startedAt(status);
  let requests = NOTHING;
  const unhandled = unhandledNeeds(spec);
  try {
    requests = podRequests(spec, status);
  } catch (error) {
    onBad(`pod ${metadata.namespace}/${metadata.name}`, error);
    unhandled.push('requests that are no quantities');
  }
  const placement = placementOf(metadata.annotations);
  const gates = spec.schedulingGates ?? [];
  if (gates.length > 0) {
    unhandled.push(
      `scheduling gates that are closed (${gates.map(({ name }) => name).join(', ')})`,
    );
  }
  const antiAffinity =
    spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  const fit = {
    nodeName: spec.nodeName || undefined,
    nodeSelector: spec.nodeSelector ?? NO_LABELS,
    requiredTerms,
    tolerations: spec.tolerations ?? [],
    hostPorts: hostPortsOf(pod),
    ...(antiAffinity.length > 0 && { antiAffinity, namespace: metadata.namespace }),
  };
  return {
    uid: metadata.uid,
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    labels: metadata.labels ?? NO_LABELS,
    schedulerName: spec.schedulerName ?? '',
    priority: spec.priority ?? 0,
    createdAtMs: millis(metadata.creationTimestamp) ?? 0,
    deleting: metadata.deletionTimestamp !== undefined,
    phase: status?.phase ?? 'Pending',
    ...(spec.nodeName && { nodeName: spec.nodeName }),
    ...(boundAtMs !== undefined && { boundAtMs }),
    ...(startedAtMs !== undefined && { startedAtMs }),
    placedHere: placement !== undefined,
    placement,
    ...(owner && { owner: { kind: owner.kind, name: owner.name, uid: owner.uid } }),
    requests,
    hostPorts: fit.hostPorts,
    nodeSelector: fit.nodeSelector,
    ...(requiredTerms !== undefined && { requiredTerms }),
    preferredTerms: nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [],
    tolerations: fit.tolerations,
    antiAffinity,
    unhandled,
    schedulingClass: spec.nodeName
      ? ''
      : JSON.stringify([fit, { ...requests, others: [...requests.others] }, unhandled]),
  };
}

const millis = (text: string | undefined): number | undefined => {
  const ms = text === undefined ? NaN : Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
};

function boundAt(pod: Pod): number | undefined {
  const scheduled = pod.status?.conditions?.find(
    ({ type, status }) => type === 'PodScheduled' && status === 'True',
  );
  return (
    millis(scheduled?.lastTransitionTime) ??
    millis(pod.status?.startTime) ??
    millis(pod.metadata.creationTimestamp)
  );
}

/** When the first of its containers began to run; for a running pod that does not say, when the kubelet took it. */
function startedAt(status: PodStatus | undefined): number | undefined {
  if (status?.phase !== 'Running') return undefined;
  const starts = (status.containerStatuses ?? [])
    .map(({ state }) => millis(state?.running?.startedAt))
    .filter((ms) => ms !== undefined);
  return starts.length > 0 ? Math.min(...starts) : millis(status.startTime);
}

/** The host ports of the containers that stay; only those can clash. */
function hostPortsOf({ spec }: Pod): HostPort[] {
  const staying = [
    ...(spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always'),
    ...spec.containers,
  ];
  return staying.flatMap(({ ports = [] }) =>
    ports
      .filter(({ hostPort = 0 }) => hostPort > 0)
      .map(({ hostPort = 0, hostIP, protocol }) => ({
        ip: hostIP || '0.0.0.0',
        protocol: protocol || 'TCP',
        port: hostPort,
      })),
  );
}
