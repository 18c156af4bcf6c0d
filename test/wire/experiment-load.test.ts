import assert from 'node:assert/strict';
import { KubeLoads } from '../../runtime/experiment/adapters/kube-loads';
import { parseLoad } from '../../runtime/experiment/policy/load';
import { systemClock } from '../../runtime/shared/clock';
import { KubeApi } from '../../runtime/shared/kubernetes/api';
import { FakeJobApi } from './support/fake-job-api';
import { RunningService } from './support/running-service';

describe('the loads of an experiment, by the real load generator on the real workload', function () {
  this.timeout(1_800_000);
  let workload: RunningService;
  let server: FakeJobApi;
  let api: KubeApi;

  beforeEach(async () => {
    workload = await RunningService.start('workload', { STOP_DELAY_MS: '0' });
    server = new FakeJobApi(Number(new URL(workload.url).port));
    const connection = {
      origin: await server.start(),
      prefix: '',
      tls: {},
      headers: async () => ({}),
    };
    api = new KubeApi(connection, { timeoutMs: 120_000, connections: 4, userAgent: 'test' });
  });
  afterEach(async () => {
    await api.close();
    await server.stop();
    await workload.stop();
  });
  const loads = (load: string) => new KubeLoads(api, parseLoad(load), systemClock);

  it('give every request that was sent, though the log breaks off in the middle', async () => {
    server.breakLogAfterBytes = 1500;
    const seen: number[] = [];
    const load = 'qps=20,duration=2,concurrency=40,sleep=5,timeout=600000';
    const { requests, summary } = await loads(load).run(
      'wl-service',
      new AbortController().signal,
      (ended) => seen.push(ended),
    );
    assert.deepEqual([summary.total, summary.successful], [40, 40]);
    assert.deepEqual(
      requests.map(({ index }) => index),
      Array.from({ length: 40 }, (_, index) => index),
    );
    assert.equal(await workload.metric('workload_requests_total{status="200"}'), 40);
    assert.ok(server.logRequests >= 2, String(server.logRequests));
    assert.equal(seen.at(-1), 40);
    assert.deepEqual(server.deleted, ['experiment.berth.dev/load=wl-service']);
    const [job] = server.jobs;
    assert.equal(job?.metadata.name, 'wl-load-generator-wl-service');
    assert.equal(job.spec['activeDeadlineSeconds'], 902);
  });

  it('are data too when every request fails', async () => {
    const load = 'qps=20,duration=0.5,bloat=60000,timeout=600000';
    const { requests, summary } = await loads(load).run(
      'wl-service',
      new AbortController().signal,
      () => undefined,
    );
    assert.deepEqual(summary.failures, { 'status 400': 10 });
    assert.deepEqual([...new Set(requests.map(({ outcome }) => outcome))], ['status 400']);
  });

  it('end when they are told to', async () => {
    const stop = new AbortController();
    const run = loads('qps=20,duration=3600').run('wl-service', stop.signal, (ended) => {
      if (ended > 0) stop.abort();
    });
    await assert.rejects(run, /abort/i);
    await loads('').clear();
    assert.deepEqual(server.deleted, ['experiment.berth.dev/load']);
  });
});
