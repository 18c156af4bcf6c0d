import { Bench } from 'tinybench';
import { Client } from 'undici';
import { parseExtenderArgs } from '../../runtime/latency-extender/wire/extender-args';
import { cluster, extender, NOW_MS } from '../policy/latency-extender/support';
import { BUSIEST, nodeNames, nodeObject, readingOf } from './extender-nodes';
import { growthExponent } from './growth';
import { latencyRows, median, quantile, rounded, type Row, timesOf } from './report';
import type { ExtenderServer } from './extender-servers';

/** A pod as the API server gives it to kube-scheduler, roughly. */
const podOf = (index: number) => ({
  metadata: { name: `pod-${index}`, namespace: 'bench', uid: `uid-${index}`, labels: { app: 'a' } },
  spec: {
    schedulerName: 'bench',
    containers: [{ name: 'main', image: 'none', resources: { requests: { cpu: '10m' } } }],
  },
});

/** The rest of a question after its pod: names, or whole nodes. */
export const restOf = (names: readonly string[], whole: boolean): string =>
  JSON.stringify(
    whole
      ? { Nodes: { metadata: {}, items: names.map(nodeObject) }, NodeNames: null }
      : { Nodes: null, NodeNames: names },
  ).slice(1);

export const question = (index: number, rest: string): string =>
  `{"Pod":${JSON.stringify(podOf(index))},${rest}`;

/** Milliseconds of each call, by verb. */
export type Calls = Readonly<Record<'filter' | 'prioritize', number[]>>;

/** Asks as kube-scheduler does: one pod after another, over one connection. */
export async function askAll(
  server: ExtenderServer,
  nodes: number,
  whole: boolean,
  pods: number,
  from: number,
): Promise<Calls> {
  const client = new Client(server.url, { headersTimeout: 0, bodyTimeout: 0 });
  const rest = restOf(nodeNames(nodes), whole);
  const calls: Calls = { filter: [], prioritize: [] };
  try {
    for (let index = from; index < from + pods; index += 1) {
      const body = Buffer.from(question(index, rest));
      for (const verb of ['filter', 'prioritize'] as const) {
        const startedMs = performance.now();
        const headers = { 'content-type': 'application/json' };
        const answer = await client.request({ method: 'POST', path: `/${verb}`, headers, body });
        await answer.body.arrayBuffer();
        if (answer.statusCode !== 200) throw new Error(`/${verb}: HTTP ${answer.statusCode}`);
        calls[verb].push(performance.now() - startedMs);
      }
    }
  } finally {
    await client.close();
  }
  return calls;
}

/** Medians over the rounds of each round's quantiles. */
export const callRow = (peer: string, rounds: readonly Calls[]): Row => {
  const of = (verb: keyof Calls, share: number): number =>
    rounded(median(rounds.map((round) => quantile(round[verb], share))));
  return {
    http: peer,
    filter_ms_p50: of('filter', 0.5),
    filter_ms_p99: of('filter', 0.99),
    prioritize_ms_p50: of('prioritize', 0.5),
    prioritize_ms_p99: of('prioritize', 0.99),
  };
};

/** What parsing one question costs: names, and whole nodes. */
export function parsingRow(nodes: number): Row {
  const names = nodeNames(nodes);
  const msOf = (whole: boolean, times: number): number => {
    const text = question(0, restOf(names, whole));
    const took = Array.from({ length: times }, () => {
      const startedMs = performance.now();
      parseExtenderArgs(text);
      return performance.now() - startedMs;
    });
    return median(took);
  };
  const [few, all] = [msOf(false, 500), msOf(true, 9)];
  return {
    parsing: `one question, ${nodes} nodes`,
    names_ms: rounded(few),
    whole_nodes_ms: rounded(all),
    ratio: rounded(all / few),
    node_bytes: JSON.stringify(nodeObject('n0')).length,
  };
}

/** What one pod costs, parsing, filter and prioritize together, without HTTP; and how that grows with the nodes. */
export async function decisionRows(quick: boolean): Promise<{ rows: Row[]; raw: unknown }> {
  const counts = [10, 100, 1000, 5000];
  const bench = new Bench(timesOf(quick, 1000));
  for (const count of counts) {
    const names = nodeNames(count);
    const readings = names.map((name) => {
      const { cpuRatio, latencyRatio } = readingOf(name);
      return [name, [cpuRatio, latencyRatio * 100]] as const;
    });
    const probed = cluster(Object.fromEntries(readings));
    const { answers } = extender(probed, {}, BUSIEST);
    const rest = restOf(names, false);
    let pod = 0;
    bench.add(`${count} nodes`, () => {
      const text = question((pod += 1), rest);
      answers.filter(parseExtenderArgs(text), NOW_MS);
      answers.prioritize(parseExtenderArgs(text), NOW_MS);
    });
  }
  await bench.run();
  const rows = latencyRows(bench);
  const exponent = growthExponent(
    rows.map((row, index) => [counts[index] ?? NaN, Number(row['microseconds_p50'])]),
  );
  return {
    rows: [...rows, { case: 'cost = c * nodes ^ exponent', exponent: rounded(exponent) }],
    raw: bench.table(),
  };
}
