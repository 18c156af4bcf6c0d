import {
  DashboardBuilder,
  DatasourceVariableBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';

/** PromQL, and the name of what it gives. */
export interface PanelQuery {
  readonly expr: string;
  /** May name labels, as `{{node}}`. */
  readonly legend: string;
}

/** The Prometheus that is chosen on a dashboard. */
export const CHOSEN_PROMETHEUS = { type: 'prometheus', uid: '${prometheus}' } as const;

/** A dashboard of Berth without panels; the data source is chosen on it. */
export const newDashboard = (title: string, uid: string): DashboardBuilder =>
  new DashboardBuilder(title)
    .uid(uid)
    .tags(['berth'])
    .refresh('5s')
    .time({ from: 'now-15m', to: 'now' })
    .withVariable(new DatasourceVariableBuilder('prometheus').type('prometheus'));

/** The queries of a panel, each with a letter of its own. */
export const targetsOf = (queries: readonly PanelQuery[]): DataqueryBuilder[] =>
  queries.map(({ expr, legend }, index) =>
    new DataqueryBuilder()
      .refId(String.fromCharCode('A'.charCodeAt(0) + index))
      .expr(expr)
      .legendFormat(legend),
  );
