import assert from 'node:assert/strict';
import { autoscalerMetrics } from '../../../runtime/autoscaler/metrics';
import { decide } from '../../../runtime/autoscaler/policy/decide';
import type { Operation } from '../../../runtime/autoscaler/types';
import { NOW_MS, settings, snapshot, waiting } from './support';

describe('autoscaler: metrics', () => {
  it('have the names of the document, and are there before anything has happened', async () => {
    const metrics = autoscalerMetrics();
    const text = await metrics.registry.metrics();
    for (const name of [
      'autoscaler_scaling_decisions_total{decision="up"} 0',
      'autoscaler_current_nodes',
      'autoscaler_pending_pods',
      'autoscaler_scale_up_events_total{outcome="done"} 0',
      'autoscaler_scale_down_events_total{outcome="undone"} 0',
      'autoscaler_errors_total',
      'autoscaler_reconciliation_cycles_total 0',
      'autoscaler_reconciliation_duration_seconds_bucket{le="0.1"} 0',
      'autoscaler_reconciliation_issues_fixed_total{type="orphaned_node"} 0',
    ])
      assert.ok(text.includes(name), name);
  });

  it('count decisions, operations and what was mended', async () => {
    const metrics = autoscalerMetrics();
    metrics.decided(decide(snapshot({ pending: [waiting()] }), settings(), NOW_MS));
    const operation: Operation = {
      id: 'x',
      kind: 'up',
      step: 'create',
      worker: 'k3s-worker-3',
      number: 3,
      reason: 'test',
      startedAtMs: 0,
    };
    metrics.operated({ operation, outcome: 'undone', why: 'test' });
    const fix = { issue: 'counter_drift', act: 'raise-counter', to: 3, why: 'test' } as const;
    metrics.reconciled({
      atMs: 0,
      durationMs: 70,
      found: [fix, fix],
      fixed: [fix],
      failed: [{ fix, why: 'x' }],
      unknown: [],
    });
    const text = await metrics.registry.metrics();
    for (const line of [
      'autoscaler_scaling_decisions_total{decision="up"} 1',
      'autoscaler_current_nodes 3',
      'autoscaler_pending_pods 1',
      'autoscaler_scale_up_events_total{outcome="undone"} 1',
      'autoscaler_scale_down_events_total{outcome="undone"} 0',
      'autoscaler_reconciliation_cycles_total 1',
      'autoscaler_reconciliation_duration_seconds_sum 0.07',
      'autoscaler_reconciliation_issues_fixed_total{type="counter_drift"} 1',
      'autoscaler_errors_total{type="reconciliation"} 1',
    ])
      assert.ok(text.includes(line), line);
  });
});
