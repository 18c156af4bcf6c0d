import { createMetrics } from '../shared/metrics';
import { ISSUES } from './policy/reconcile';
import type { ReconcileReport } from './operations/reconciler';
import type { Result } from './operations/operations';
import type { Decision } from './types';

const SECONDS = [0.01, 0.05, 0.1, 0.5, 1, 2.5, 5, 10, 30];
export type AutoscalerMetrics = ReturnType<typeof autoscalerMetrics>;

/** The metrics of the autoscaler, all with the prefix `autoscaler_`; what is counted by kind starts at 0. */
export function autoscalerMetrics() {
  const metrics = createMetrics('autoscaler');
  const decisions = metrics.counter('scaling_decisions_total', 'Decisions by kind', ['decision']);
  const currentNodes = metrics.gauge('current_nodes', 'Workers, with those that are coming');
  const pendingPods = metrics.gauge(
    'pending_pods',
    'Pods that wait and that a new node would take',
  );
  const leader = metrics.gauge('leader', '1 on the replica that leads, 0 on others');
  const ups = metrics.counter('scale_up_events_total', 'Workers added, by outcome', ['outcome']);
  const downs = metrics.counter('scale_down_events_total', 'Workers removed, by outcome', [
    'outcome',
  ]);
  const errors = metrics.counter('errors_total', 'Errors by type', ['type']);
  const cycles = metrics.counter('reconciliation_cycles_total', 'Rounds of reconciliation');
  const duration = metrics.histogram(
    'reconciliation_duration_seconds',
    'Time that a round of reconciliation takes',
    SECONDS,
  );
  const fixed = metrics.counter(
    'reconciliation_issues_fixed_total',
    'What reconciliation has mended, by type',
    ['type'],
  );
  for (const decision of ['up', 'down', 'hold']) decisions.inc({ decision }, 0);
  for (const outcome of ['done', 'undone', 'interrupted']) {
    ups.inc({ outcome }, 0);
    downs.inc({ outcome }, 0);
  }
  for (const type of ISSUES) fixed.inc({ type }, 0);
  return {
    registry: metrics.registry,
    gauge: metrics.gauge,
    errors,
    leader,
    decided({ kind, evidence }: Decision): void {
      decisions.inc({ decision: kind });
      currentNodes.set(evidence.workers);
      pendingPods.set(evidence.pending);
    },
    operated({ operation, outcome }: Result): void {
      (operation.kind === 'up' ? ups : downs).inc({ outcome });
    },
    reconciled(report: ReconcileReport): void {
      cycles.inc();
      duration.observe(report.durationMs / 1000);
      for (const { issue } of report.fixed) fixed.inc({ type: issue });
      if (report.failed.length > 0) errors.inc({ type: 'reconciliation' }, report.failed.length);
    },
  };
}
