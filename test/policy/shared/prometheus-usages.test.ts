import assert from 'node:assert/strict';
import { PrometheusUsages } from '../../../runtime/shared/node-cpu/prometheus-usages';
import { PrometheusError, type PrometheusSample } from '../../../runtime/shared/prometheus';
import { FakeClock } from '../analyzer/fake-clock';

const NODES = [{ name: 'a', internalIps: [], hostnames: [] }];
const QUERIES = {
  cpu: { ratioQuery: 'cpu_ratio', timeQuery: 'cpu_time' },
  memory: { ratioQuery: 'memory_ratio', timeQuery: 'memory_time' },
};

function setUp() {
  const clock = new FakeClock();
  const asked: string[] = [];
  const values: Record<string, number> = { cpu: 0.25, memory: 0.75 };
  /** What Prometheus refuses. */
  let refused = (_query: string): boolean => false;
  const client = {
    query: async (query: string): Promise<PrometheusSample[]> => {
      asked.push(query);
      if (refused(query)) throw new PrometheusError('query', 'parse error');
      const evaluatedAtMs = clock.nowMs();
      return Object.entries(values).flatMap(([name, value]) =>
        query.includes(`${name}_ratio`)
          ? [
              { labels: { node: 'a', berth_reading: `${name}-ratio` }, value, evaluatedAtMs },
              {
                ...{ labels: { node: 'a', berth_reading: `${name}-time` }, evaluatedAtMs },
                value: evaluatedAtMs / 1000 - 3,
              },
            ]
          : [],
      );
    },
  };
  const usages = new PrometheusUsages(client, clock, QUERIES);
  const read = async (name: keyof typeof QUERIES) =>
    (await usages.of(name).read(NODES)).byNode.get('a');
  const refuse = (is: typeof refused): void => void (refused = is);
  return { asked, clock, read, refuse, values };
}

describe('several uses of nodes by one query', () => {
  it('are told apart, each with the time at which it was taken', async () => {
    const { asked, clock, read } = setUp();
    const takenAtMs = clock.nowMs() - 3000;
    const both = await Promise.all([read('cpu'), read('memory')]);
    assert.deepEqual(both, [
      { cpuRatio: 0.25, takenAtMs },
      { cpuRatio: 0.75, takenAtMs },
    ]);
    assert.equal(asked.length, 1);
  });

  it('are asked for anew by who has had the answer, and by who comes later', async () => {
    const { asked, clock, read, values } = setUp();
    await Promise.all([read('cpu'), read('memory')]);
    values['cpu'] = 0.5;
    assert.equal((await read('cpu'))?.cpuRatio, 0.5);
    assert.equal(asked.length, 2);
    await clock.advance(1001);
    values['memory'] = 0.9;
    assert.equal((await read('memory'))?.cpuRatio, 0.9);
    assert.equal(asked.length, 3);
  });

  it('do without one that Prometheus refuses', async () => {
    const { read, refuse } = setUp();
    refuse((query) => query.includes('memory_ratio'));
    const [cpu, memory] = await Promise.allSettled([read('cpu'), read('memory')]);
    assert.equal(cpu.status === 'fulfilled' && cpu.value?.cpuRatio, 0.25);
    assert.ok(memory.status === 'rejected' && /parse error/.test(String(memory.reason)));
  });
});
