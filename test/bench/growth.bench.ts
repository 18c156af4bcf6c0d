import { Bench as TinyBench } from 'tinybench';
import { growthExponent } from './growth';
import { POLICIES } from './growth-policies';
import { progress } from './progress';
import { latencyRows, type Bench, type Row, timesOf } from './report';

const NODES = [10, 100, 1000, 5000] as const;
/** How the cost of one decision of each policy grows with the nodes; an exponent of 1 is in proportion. */
export const growthBench: Bench = {
  what: 'cost of one decision of each policy at 10 to 5,000 nodes, and the exponent that fits it',
  async run({ quick }) {
    const rows: Row[] = [];
    const raw: Record<string, readonly Row[]> = {};
    for (const [name, policy] of Object.entries(POLICIES)) {
      progress(name);
      const bench = new TinyBench(timesOf(quick));
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
