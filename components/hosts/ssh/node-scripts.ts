import { PATHS } from './paths';

const KUBECTL = `${PATHS.binary} kubectl`;
/** Annotation of a node that Berth itself has cordoned, so that one that a person cordoned stays so. */
const CORDONED = 'berth/cordoned-for-upgrade';
/** Annotation with the release of k3s that a node was last found Ready with. */
const VERSION = 'berth/k3s-version';

/** A node as scripts on a server know it. */
export interface NodeScriptSettings {
  readonly node: string;
  /** Release of k3s that it has, or is about to have. */
  readonly version: string;
  readonly readyTimeoutSeconds: number;
  readonly drainTimeoutSeconds: number;
}

const drain = ({ node, drainTimeoutSeconds }: NodeScriptSettings): string =>
  `${KUBECTL} drain ${node} --ignore-daemonsets --delete-emptydir-data --force --timeout=${drainTimeoutSeconds}s`;

const annotation = (node: string, name: string): string =>
  `${KUBECTL} get node ${node} -o 'jsonpath={.metadata.annotations.${name.replaceAll('.', '\\.')}}'`;

/** Fails where k3s runs and does not answer; ends well where it is not there, since nothing can be left in it. */
const UNLESS_GONE = [
  `set -eu`,
  `systemctl is-active --quiet k3s || { echo "k3s does not run on this server: nothing is left to do in the cluster"; exit 0; }`,
];

const undoCordon = (node: string): string =>
  `if [ "$(${annotation(node, CORDONED)})" = true ]; then ${KUBECTL} uncordon ${node}; ${KUBECTL} annotate node ${node} ${CORDONED}-; fi`;

/**
 * Before k3s changes on a node: a node that has another release is cordoned and drained by eviction. One that cannot
 * be drained in time is uncordoned again and goes on working, and the script fails: so the roll stops there.
 */
export function beforeInstallScript(settings: NodeScriptSettings): string {
  const { node, version, drainTimeoutSeconds } = settings;
  return [
    `set -eu`,
    `${KUBECTL} get node ${node} >/dev/null 2>&1 || exit 0`,
    `had=$(${annotation(node, VERSION)})`,
    `if [ -z "$had" ] || [ "$had" = ${version} ]; then`,
    `  ${undoCordon(node)}`,
    `  exit 0`,
    `fi`,
    `if [ "$(${KUBECTL} get node ${node} -o 'jsonpath={.spec.unschedulable}')" != true ]; then`,
    `  ${KUBECTL} annotate node ${node} ${CORDONED}=true --overwrite`,
    `  ${KUBECTL} cordon ${node}`,
    `fi`,
    `${drain(settings)} || {`,
    `  ${undoCordon(node)}`,
    `  echo "${node} was not drained within ${drainTimeoutSeconds} s (see above): it goes on with k3s $had" >&2`,
    `  exit 1`,
    `}`,
  ].join('\n');
}

/**
 * After k3s has changed on a node: awaits that its kubelet reports anew and is Ready, and uncordons it where Berth had
 * cordoned it. The report counts, not the clock: a node's Ready says nothing for some time after its kubelet has ended.
 */
export function afterInstallScript(settings: NodeScriptSettings): string {
  const { node, version, readyTimeoutSeconds: seconds } = settings;
  const renewed = `${KUBECTL} get lease ${node} -n kube-node-lease -o 'jsonpath={.spec.renewTime}' 2>/dev/null || true`;
  const ready = `${KUBECTL} get node ${node} -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}' 2>/dev/null || true`;
  return [
    `set -eu`,
    `before=$(${renewed})`,
    `deadline=$(($(date +%s) + ${seconds}))`,
    `until now=$(${renewed}); [ -n "$now" ] && [ "$now" != "$before" ] && [ "$(${ready})" = True ]; do`,
    `  [ "$(date +%s)" -lt "$deadline" ] || {`,
    `    echo "node ${node} did not become Ready within ${seconds} s" >&2`,
    `    exit 1`,
    `  }`,
    `  sleep 1`,
    `done`,
    `${KUBECTL} annotate node ${node} ${VERSION}=${version} --overwrite`,
    undoCordon(node),
  ].join('\n');
}

/** Before a node's host goes: drains it by eviction; one that cannot be drained in time is uncordoned, and it fails. */
export function drainScript(settings: NodeScriptSettings, unreachable: boolean): string {
  const { node, drainTimeoutSeconds } = settings;
  if (unreachable)
    return [
      ...UNLESS_GONE,
      `${KUBECTL} get node ${node} >/dev/null 2>&1 || exit 0`,
      // Its kubelet can confirm no pod's end: what is evicted there is only marked.
      `${KUBECTL} cordon ${node}`,
    ].join('\n');
  return [
    ...UNLESS_GONE,
    `${KUBECTL} get node ${node} >/dev/null 2>&1 || exit 0`,
    `${drain(settings)} || {`,
    `  ${KUBECTL} uncordon ${node}`,
    `  echo "${node} was not drained within ${drainTimeoutSeconds} s (see above) and was left in place" >&2`,
    `  exit 1`,
    `}`,
  ].join('\n');
}

/** Before a server goes: the same, unless it is the last one, whose pods have nowhere to go. */
export const drainUnlessLastScript = (settings: NodeScriptSettings, unreachable: boolean): string =>
  [
    ...UNLESS_GONE,
    `servers=$(${KUBECTL} get nodes -l node-role.kubernetes.io/control-plane -o name)`,
    `[ "$(echo "$servers" | wc -l)" -gt 1 ] || exit 0`,
    drainScript(settings, unreachable),
  ].join('\n');

/** After a node's host has gone: the cluster forgets the node, and whose its name was. */
export const forgetScript = (node: string): string =>
  [
    ...UNLESS_GONE,
    `${KUBECTL} delete node ${node} --ignore-not-found --timeout=60s`,
    `${KUBECTL} -n kube-system delete secret ${node}.node-password.k3s --ignore-not-found`,
  ].join('\n');
