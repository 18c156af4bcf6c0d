import assert from 'node:assert/strict';
import pLimit from 'p-limit';
import { ScalerPlane, ScalerProcess } from './support/external-scaler';
import { FakePrometheus } from './support/fake-prometheus';
import { createNode, eventually } from './support/kube';
import { ScalerClient } from './support/scaler-client';

const COUNT = 10_000;
const LIMIT_MS = 600_000;
const names = (prefix: string): string[] =>
  Array.from({ length: COUNT }, (_, index) => `${prefix}-${index}`);

describe('external-scaler asked by 10,000 ScaledJobs at once', function () {
  this.timeout(1_800_000);
  let plane: ScalerPlane;
  let prometheus: FakePrometheus;
  let scaler: ScalerProcess;
  let client: ScalerClient;

  before(async () => {
    [plane, prometheus] = await Promise.all([ScalerPlane.start(), FakePrometheus.start()]);
    prometheus.ratios.set('node-1', 0.1);
    await createNode(plane.api, { name: 'node-1', labels: { 'posture/eligible': 'true' } });
    scaler = await ScalerProcess.start({
      KUBECONFIG: plane.kubeconfig,
      PROM_URL: prometheus.url,
      // Nobody is forgotten, and nothing ends, because this test takes its time.
      IDENTITY_TTL_MS: '3600000',
      GRANT_TTL_MS: '600000',
      READING_MAX_AGE_MS: '3600000',
    });
    client = await ScalerClient.learn(scaler.grpcPort);
  });
  after(async () => {
    client?.close();
    await scaler?.stop();
    await prometheus?.stop();
    await plane?.stop();
  });

  const known = (): Promise<number | undefined> => scaler.metric('external_scaler_identities');
  const askAll = (prefix: string): Promise<number[]> =>
    Promise.all(names(prefix).map((name) => client.metric(name)));

  it('remembers no name that is no ScaledJob', async () => {
    assert.ok((await askAll('nobody')).every((value) => value === 0));
    const told = () => scaler.metric('external_scaler_answers_total{rule="unknown"}');
    assert.equal(await told(), COUNT);
    assert.equal(await known(), 0);
  });

  it('tells one of them 1 for the one node, and forgets all once they are gone', async () => {
    const limit = pLimit(32);
    await Promise.all(names('job').map((name) => limit(() => plane.scaledJob(name))));
    const listed = async () => (await scaler.allowed()).queue.length === COUNT;
    await eventually('all are seen', listed, LIMIT_MS);
    await eventually('a berth is free', async () => (await scaler.ruleOf('node-1')) === 'free');
    const values = await askAll('job');
    assert.equal(values.filter((value) => value === 1).length, 1);
    await eventually('all are known', async () => (await known()) === COUNT, LIMIT_MS);
    const gone = async () => {
      await plane.deleteScaledJobs();
      return (await plane.scaledJobCount()) === 0;
    };
    await eventually('they are deleted', gone, LIMIT_MS);
    await eventually('none is known', async () => (await known()) === 0, LIMIT_MS);
    assert.equal(await scaler.metric('external_scaler_waiting'), 0);
  });
});
