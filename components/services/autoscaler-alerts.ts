import type { AutoscalingConfig } from '../config-schema';

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: 'warning' | 'critical' };
  readonly annotations: { readonly summary: string; readonly description: string };
}

/** A group of rules, as files of Prometheus and PrometheusRules have them. */
export interface RuleGroup {
  readonly name: string;
  readonly rules: readonly Alert[];
}

/** What somebody should be told about the autoscaler, by its own metrics. */
export function autoscalerAlerts({ minNodes, maxNodes }: AutoscalingConfig): RuleGroup {
  const alert = (
    name: string,
    severity: 'warning' | 'critical',
    [expr, time]: readonly [string, string],
    [summary, description]: readonly [string, string],
  ): Alert => ({
    ...{ alert: name, expr, for: time, labels: { severity } },
    annotations: { summary, description },
  });
  return {
    name: 'autoscaler',
    rules: [
      alert(
        'AutoscalerAbsent',
        'critical',
        ['absent(autoscaler_current_nodes)', '5m'],
        ['No autoscaler reports', 'Nodes neither come nor go. Look at its pod in berth-system.'],
      ),
      alert(
        'AutoscalerBelowMinimum',
        'critical',
        [`max(autoscaler_current_nodes) < ${minNodes}`, '10m'],
        [
          'Fewer workers than the minimum',
          `There are {{ $value }}, and should be ${minNodes}. Its log says why none can be added.`,
        ],
      ),
      alert(
        'AutoscalerAtMaximum',
        'warning',
        [
          `max(autoscaler_current_nodes) >= ${maxNodes} and max(autoscaler_pending_pods) > 0`,
          '10m',
        ],
        [
          'Pods wait, and no more workers may be added',
          `All ${maxNodes} workers are there. Raise berth:systems.autoscaling.maxNodes, or ask for less.`,
        ],
      ),
      alert(
        'AutoscalerPodsWait',
        'warning',
        ['max(autoscaler_pending_pods) > 0', '15m'],
        [
          'Pods have waited for a worker for a quarter of an hour',
          '{{ $value }} wait that a new worker would take. Its log says why none is ready.',
        ],
      ),
      alert(
        'AutoscalerScaleUpUndone',
        'warning',
        ['sum(increase(autoscaler_scale_up_events_total{outcome="undone"}[30m])) >= 3', '0m'],
        [
          'Workers were taken away again before they were Ready',
          'It happened {{ $value }} times in half an hour. GET /history says why.',
        ],
      ),
      alert(
        'AutoscalerScaleDownUndone',
        'warning',
        ['sum(increase(autoscaler_scale_down_events_total{outcome="undone"}[1h])) >= 3', '0m'],
        [
          'Workers cannot be drained',
          'It happened {{ $value }} times in an hour. GET /history says which pods stay.',
        ],
      ),
      alert(
        'AutoscalerErrors',
        'warning',
        ['sum by (type) (increase(autoscaler_errors_total[10m])) >= 10', '5m'],
        [
          'The autoscaler meets errors again and again',
          '{{ $value }} of type {{ $labels.type }} in ten minutes.',
        ],
      ),
      alert(
        'AutoscalerNotReconciling',
        'warning',
        ['sum(increase(autoscaler_reconciliation_cycles_total[15m])) == 0', '5m'],
        [
          'Docker, Kubernetes, Redis and MongoDB are not compared',
          'No round in a quarter of an hour. GET /reconciliation/status says why.',
        ],
      ),
      alert(
        'AutoscalerKeepsMending',
        'warning',
        ['sum by (type) (increase(autoscaler_reconciliation_issues_fixed_total[1h])) >= 10', '0m'],
        [
          'The same is mended again and again',
          '{{ $value }} issues of type {{ $labels.type }} in an hour.',
        ],
      ),
    ],
  };
}
