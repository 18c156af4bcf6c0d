import {
  DashboardBuilder,
  DatasourceVariableBuilder,
  type Dashboard,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

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
  const dashboard = new DashboardBuilder('Schedulers compared')
    .uid('berth-experiment')
    .tags(['berth'])
    .refresh('5s')
    .time({ from: 'now-15m', to: 'now' })
    .withVariable(new DatasourceVariableBuilder('prometheus').type('prometheus'));
  for (const { title, expr, legend } of DASHBOARD_QUERIES)
    dashboard.withPanel(
      new PanelBuilder()
        .title(title)
        .min(0)
        .datasource({ type: 'prometheus', uid: '${prometheus}' })
        .withTarget(new DataqueryBuilder().expr(expr).legendFormat(legend)),
    );
  return dashboard.build();
}
