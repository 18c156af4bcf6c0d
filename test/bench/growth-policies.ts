import { decide } from '../../runtime/autoscaler/policy/decide';
import { choose } from '../../runtime/cpu-scheduler/policy/choose';
import { offload } from '../../runtime/cpu-scheduler/policy/offload';
import { parseExtenderArgs } from '../../runtime/latency-extender/wire/extender-args';
import { nodeVerdict } from '../../runtime/node-availability/availability';
import { ranked } from '../../runtime/node-controller/policy/rank';
import { landmarksOf } from '../../runtime/prober/policy/landmarks';
import { scoresAt } from '../../runtime/prober/policy/scores';
import { proberSettings } from '../../runtime/prober/settings';
import { parseSettings } from '../../runtime/shared/settings';
import * as autoscaling from '../policy/autoscaler/support';
import * as scheduling from '../policy/cpu-scheduler/support';
import { Bench as Play } from '../policy/external-scaler/support';
import * as extending from '../policy/latency-extender/support';
import * as availability from '../policy/node-availability/support';
import { question, restOf } from './extender-http';
import { BUSIEST, nodeNames, readingOf } from './extender-nodes';

const HOUR_MS = 3_600_000;
const SCALED_JOBS = 100;

/** What one decision is, on a cluster of so many nodes. @returns what decides once */
export type Policy = (nodes: number) => () => void;

const ratioOf = (index: number): number => (index % 500) / 1000;

/** Each policy and service that decides something for a cluster. */
export const POLICIES: Readonly<Record<string, Policy>> = {
  'cpu-scheduler: places a pod': (nodes) => {
    const { cluster, node, pod, NO_CONTEXT, NOW_MS, SETTINGS } = scheduling;
    const view = cluster(
      Array.from({ length: nodes }, (_, index) => [node(`n${index}`), ratioOf(index)]),
    );
    const one = pod({ cpu: '1m' });
    return () => {
      const decision = choose(one, view, NO_CONTEXT, SETTINGS, NOW_MS);
      if (decision.kind !== 'bind') throw new Error(decision.message);
      view.assume(one, decision.chosen.node, NOW_MS);
      view.forget(one.uid, NOW_MS);
    };
  },
  'cpu-scheduler: looks for pods to offload, one node in 100 hot': offloading,
  'latency-extender: reads a question, and filters': (nodes) => {
    const { answers, ask } = extender(nodes);
    return () => void answers.filter(parseExtenderArgs(ask()), extending.NOW_MS);
  },
  'latency-extender: reads a question, and rates': (nodes) => {
    const { answers, ask } = extender(nodes);
    return () => void answers.prioritize(parseExtenderArgs(ask()), extending.NOW_MS);
  },
  'latency-extender: makes its table anew': (nodes) => extender(nodes).rebuild,
  'external-scaler: answers a ScaledJob after a change': (nodes) => {
    const play = new Play({ IDENTITY_TTL_MS: '3600000', READING_MAX_AGE_MS: '3600000' });
    play.nodes(...nodeNames(nodes));
    const names = Array.from({ length: SCALED_JOBS }, (_, index) => `job-${index}`);
    play.scaledJobs(...names);
    for (const name of names) play.ask(name);
    let next = 0;
    return () => {
      play.scaler.changed();
      play.ask(names[(next = (next + 1) % SCALED_JOBS)] ?? '');
    };
  },
  'node-controller: judges and ranks the nodes': (nodes) => {
    const all = nodeNames(nodes).map((name, index) => ({
      node: availability.observed(name),
      reading: availability.cpu(ratioOf(index * 7919)),
    }));
    const { NOW_MS, OPTIONS } = availability;
    return () =>
      void ranked(all.map(({ node, reading }) => nodeVerdict(node, reading, OPTIONS, NOW_MS)));
  },
  'autoscaler: nothing to do': autoscaler('hold', 0.5),
  'autoscaler: the last in goes': autoscaler('down', 0.1),
  'prober: chooses its landmarks, and answers with its scores': prober,
};

/** The extender with all nodes probed, and questions about all of them. */
function extender(nodes: number) {
  const names = nodeNames(nodes);
  const readings = names.map((name) => {
    const { cpuRatio, latencyRatio } = readingOf(name);
    return [name, [cpuRatio, latencyRatio * 100]] as const;
  });
  const probed = extending.cluster(Object.fromEntries(readings));
  const { answers, rebuild } = extending.extender(probed, {}, BUSIEST);
  const rest = restOf(names, false);
  let pods = 0;
  return { answers, ask: () => question((pods += 1), rest), rebuild: () => rebuild() };
}

/** On each hot node runs one pod that may go, and elsewhere is room. */
function offloading(nodes: number): () => void {
  const { cluster, node, pod, NOW_MS, SETTINGS } = scheduling;
  const isHot = (index: number): boolean => index % 100 === 0;
  const names = nodeNames(nodes);
  const view = cluster(names.map((name) => [node(name)]));
  for (const [index, name] of names.entries())
    if (isHot(index))
      view.setBound(
        {
          ...pod({ name: `p-${index}`, cpu: '100m' }),
          ...{ nodeName: name, phase: 'Running', placedHere: true },
          ...{ startedAtMs: NOW_MS - HOUR_MS, boundAtMs: NOW_MS - HOUR_MS },
          owner: { kind: 'Job', name: `job-${index}`, uid: `job-${index}` },
        },
        NOW_MS,
      );
  for (const ageMs of [10_000, 0]) {
    const takenAtMs = NOW_MS - ageMs;
    const reading = (index: number) => ({ cpuRatio: isHot(index) ? 0.95 : 0.2, takenAtMs });
    view.refresh(new Map(names.map((name, index) => [name, reading(index)])), NOW_MS);
  }
  const snapshot = {
    nodes: [...view.all],
    evictions: [],
    keepAways: [],
    spared: new Set<string>(),
  };
  return () => {
    if (offload(snapshot, SETTINGS, NOW_MS).length === 0) throw new Error('nothing is offloaded');
  };
}

/** What a prober decides and answers: which peers are its landmarks, and what it knows of them. */
function prober(nodes: number): () => void {
  const peers = nodeNames(nodes);
  const { landmarks } = parseSettings(proberSettings, { NODE_NAME: 'n0' });
  const settings = { readingMaxAgeMs: 30_000, latencyFullScaleMs: 100, simulated: false };
  const known = { latency: { value: 5, atMs: 0, samples: 9 }, failure: undefined };
  let cycle = 0;
  return () => {
    const chosen = landmarksOf('n0', peers, landmarks, (cycle += 1));
    const states = new Map(chosen.map((node) => [node, { node, ...known }]));
    scoresAt({ node: 'n0', cpu: undefined, peers: states }, settings, 1000);
  };
}

/** The autoscaler's decision with ten pods on each node. */
function autoscaler(expected: 'hold' | 'down', ratio: number): Policy {
  return (nodes) => {
    const { bound, NOW_MS, settings, snapshot } = autoscaling;
    const workers = Array.from({ length: nodes }, (_, index) => index + 1);
    const pods = workers.flatMap((worker) =>
      Array.from({ length: 10 }, (_, index) => bound(`p-${worker}-${index}`, worker)),
    );
    const view = snapshot({ workers, pods, cpu: ratio, memory: ratio });
    const limits = settings({ MAX_NODES: '10000' });
    return () => {
      const { kind, reason } = decide(view, limits, NOW_MS);
      if (kind !== expected) throw new Error(`${kind}: ${reason}`);
    };
  };
}
