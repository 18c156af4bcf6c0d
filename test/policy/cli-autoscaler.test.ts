import assert from 'node:assert/strict';
import { autoscalerReport, readAutoscaler } from '../../runtime/cli/autoscaler-report';
import type { Kube } from '../../runtime/cli/kube';
import { autoscalingTable } from '../../runtime/cli/tables';

const node = (name: string, ready = true, worker = true) => ({ name, ready, worker });
const ANSWERS = {
  config: { MIN_NODES: 2, MAX_NODES: 5, DRY_RUN: false, PERMANENT_WORKERS: ['k3s-worker-1'] },
  metrics: { reason: '3 pods wait that a new node would take' },
  nodes: [
    node('server', true, false),
    node('k3s-worker-10', false),
    node('k3s-worker-1'),
    node('node-1'),
  ],
  workers: [
    { name: 'k3s-worker-10', operation: { kind: 'down', step: 'drain' } },
    { name: 'k3s-worker-11', operation: { kind: 'up', step: 'register' } },
  ],
};
const URLS = { autoscaler: 'http://autoscaler.berth-system.svc:8080' };

/** An API server that answers by the last part of a path. */
const kubeOf = (answers: Readonly<Record<string, unknown>>): Kube => ({
  server: 'https://test',
  text: () => assert.fail(),
  json: <T>(path: string) => {
    const [, proxied = ''] = path.split('http:autoscaler:8080/proxy');
    return proxied in answers
      ? Promise.resolve(answers[proxied] as T)
      : Promise.reject(new Error('503 no endpoints'));
  },
});

describe('the autoscaler in status', () => {
  it('shows every worker once: those that come, go and stay; only its own come and go', () => {
    const { workers } = autoscalerReport(ANSWERS);
    assert.deepEqual(
      workers.map(({ name, kind, ready, operation }) => [name, kind, ready, operation]),
      [
        ['k3s-worker-1', 'permanent', true, null],
        ['k3s-worker-10', 'autoscaled', false, 'down: drain'],
        ['k3s-worker-11', 'autoscaled', false, 'up: register'],
        ['node-1', 'permanent', true, null],
      ],
    );
  });

  it('says in its table within what it moves, what it decided, and that a dry run changes nothing', () => {
    const report = autoscalerReport(ANSWERS);
    const text = autoscalingTable(report);
    for (const part of ['4 workers, within 2 to 5; last decision: 3 pods wait', 'down: drain'])
      assert.ok(text.includes(part), text);
    assert.match(
      autoscalingTable({ ...report, dryRun: true, reason: '' }),
      /dry run: nothing is changed.*none yet/,
    );
  });

  it('is read through the API server', async () => {
    const { config, metrics, nodes, workers } = ANSWERS;
    const answers = {
      '/config': config,
      '/metrics': metrics,
      '/nodes/metrics': { nodes },
      '/workers': { workers },
    };
    assert.deepEqual(
      await readAutoscaler(kubeOf(answers), { urls: URLS }),
      autoscalerReport(ANSWERS),
    );
  });

  it('is null where there is none, and says so where it does not answer', async () => {
    assert.equal(await readAutoscaler(kubeOf({}), { urls: {} }), null);
    const report = await readAutoscaler(kubeOf({}), { urls: URLS });
    assert.ok(report);
    assert.match(autoscalingTable(report), /^autoscaler does not answer: 503 no endpoints$/);
  });
});
