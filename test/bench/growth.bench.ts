import { Bench as TinyBench } from 'tinybench';
import { decide } from '../../runtime/autoscaler/policy/decide';
import { choose } from '../../runtime/cpu-scheduler/policy/choose';
import { parseExtenderArgs } from '../../runtime/latency-extender/wire/extender-args';
import { ranked } from '../../runtime/node-controller/policy/rank';
import * as autoscaling from '../policy/autoscaler/support';
import * as scheduling from '../policy/cpu-scheduler/support';
import { Bench as Play } from '../policy/external-scaler/support';
import * as extending from '../policy/latency-extender/support';
import { verdict } from '../policy/node-controller/support';
import { question, restOf } from './extender-http';
import { BUSIEST, nodeNames, readingOf } from './extender-nodes';
import { growthExponent } from './growth';
import { progress } from './progress';
import { latencyRows, type Bench, type Row } from './report';

const NODES = [10, 100, 1000, 5000] as const;
const SCALED_JOBS = 100;

/** What one decision is, on a cluster of so many nodes. @returns what decides once */
type Policy = (nodes: number) => () => void;

const ratioOf = (index: number): number => (index % 500) / 1000;

const POLICIES: Readonly<Record<string, Policy>> = {
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
  'latency-extender: filters and rates for a pod': (nodes) => {
    const names = nodeNames(nodes);
    const readings = names.map((name) => {
      const { cpuRatio, latencyRatio } = readingOf(name);
      return [name, [cpuRatio, latencyRatio * 100]] as const;
    });
    const probed = extending.cluster(Object.fromEntries(readings));
    const { answers } = extending.extender(probed, {}, BUSIEST);
    const rest = restOf(names, false);
    let pods = 0;
    return () => {
      const text = question((pods += 1), rest);
      answers.filter(parseExtenderArgs(text), extending.NOW_MS);
      answers.prioritize(parseExtenderArgs(text), extending.NOW_MS);
    };
  },
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
  'node-controller: ranks the nodes': (nodes) => {
    const verdicts = nodeNames(nodes).map((name, index) =>
      verdict(name, { cpuRatio: ratioOf(index * 7919) }),
    );
    return () => void ranked(verdicts);
  },
  'autoscaler: nothing to do': autoscaler('hold', 0.5),
  'autoscaler: the last in goes': autoscaler('down', 0.1),
};

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

/** How the cost of one decision of each policy grows with the nodes; an exponent of 1 is in proportion. */
export const growthBench: Bench = {
  what: 'cost of one decision of each policy at 10 to 5,000 nodes, and the exponent that fits it',
  async run({ quick }) {
    const rows: Row[] = [];
    const raw: Record<string, readonly Row[]> = {};
    for (const [name, policy] of Object.entries(POLICIES)) {
      progress(name);
      const bench = new TinyBench({ time: quick ? 50 : 500 });
      for (const nodes of NODES) bench.add(`${nodes} nodes`, policy(nodes));
      await bench.run();
      const costs = latencyRows(bench);
      const p50 = (index: number): number => Number(costs[index]?.['microseconds_p50']);
      const exponent = growthExponent(NODES.map((nodes, index) => [nodes, p50(index)]));
      rows.push({
        growth: name,
        ...Object.fromEntries(NODES.map((nodes, at) => [`microseconds_p50_${nodes}`, p50(at)])),
        exponent: Number(exponent.toFixed(2)),
      });
      raw[name] = costs;
    }
    return { rows, raw };
  },
};
