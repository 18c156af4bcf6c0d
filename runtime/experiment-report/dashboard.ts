import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import { CHOSEN_PROMETHEUS, newDashboard, targetsOf } from '../shared/grafana';

/** What the dashboard shows, each from kube-state-metrics. */
export const DASHBOARD_QUERIES = [
  {
    title: 'Active pods',
    expr: 'count(kube_pod_container_status_running{container="wl-container"})',
    legend: 'running',
  },
  {
    title: 'Desired pods',
    expr: 'kube_horizontalpodautoscaler_status_desired_replicas{horizontalpodautoscaler="wl-hpa"}',
    legend: '{{horizontalpodautoscaler}}',
  },
] as const;

/** Active and desired pods over time, as Grafana's JSON model; the data source is chosen on the dashboard. */
export function experimentDashboard(): Dashboard {
  const dashboard = newDashboard('Schedulers compared', 'berth-experiment');
  for (const query of DASHBOARD_QUERIES)
    dashboard.withPanel(
      new PanelBuilder()
        .title(query.title)
        .min(0)
        .datasource(CHOSEN_PROMETHEUS)
        .targets(targetsOf([query])),
    );
  return dashboard.build();
}
