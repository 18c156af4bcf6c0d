import { Bench } from 'tinybench';
import { choose } from '../../runtime/cpu-scheduler/policy/choose';
import { cluster, NO_CONTEXT, node, NOW_MS, pod, SETTINGS } from '../policy/cpu-scheduler/support';
import { latencyRows, type Bench as RegisteredBench, timesOf } from './report';

/** One decision and its reservation, by number of nodes: without preferences, and with some that no node meets. */
export const choosingBench: RegisteredBench = {
  what: 'cost of placing one pod, by number of nodes',
  async run({ quick }) {
    const bench = new Bench(timesOf(quick));
    const preferred = {
      weight: 1,
      preference: { matchExpressions: [{ key: 'none', operator: 'Exists' }] },
    };
    const nodeAffinity = { preferredDuringSchedulingIgnoredDuringExecution: [preferred] };
    for (const count of [10, 100, 1000, 5000]) {
      for (const [what, spec] of [
        ['plain', {}],
        ['preferring', { affinity: { nodeAffinity } }],
      ] as const) {
        const view = cluster(
          Array.from({ length: count }, (_, index) => [node(`n${index}`), (index % 500) / 1000]),
        );
        const one = pod({ cpu: '1m', spec });
        bench.add(`${what}, ${count} nodes`, () => {
          const decision = choose(one, view, NO_CONTEXT, SETTINGS, NOW_MS);
          if (decision.kind !== 'bind') throw new Error(decision.message);
          view.assume(one, decision.chosen.node, NOW_MS);
          view.forget(one.uid, NOW_MS);
        });
      }
    }
    await bench.run();
    return { rows: latencyRows(bench), raw: bench.table() };
  },
};
