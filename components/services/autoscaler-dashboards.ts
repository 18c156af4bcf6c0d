import { StackingConfigBuilder, StackingMode } from '@grafana/grafana-foundation-sdk/common';
import {
  RowBuilder,
  type Dashboard,
  type DashboardBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as Pie } from '@grafana/grafana-foundation-sdk/piechart';
import { PanelBuilder as Stat } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as Timeseries } from '@grafana/grafana-foundation-sdk/timeseries';
import * as kubernetes from '@pulumi/kubernetes';
import type * as pulumi from '@pulumi/pulumi';
import {
  CHOSEN_PROMETHEUS,
  newDashboard,
  targetsOf,
  type PanelQuery,
} from '../../runtime/shared/grafana';

/** What rates and increases are taken over: several rounds of reconciliation, which come once a minute. */
const WINDOW = '5m';
/** Of the 24 columns of a dashboard. */
const WIDE = 12;
const NARROW = 8;

interface PanelOf {
  readonly title: string;
  readonly kind: 'timeseries' | 'stacked' | 'stat' | 'pie';
  /** As Grafana names units. */
  readonly unit: string;
  readonly queries: readonly PanelQuery[];
}

interface DashboardOf {
  /** Name of its ConfigMap, too. */
  readonly uid: string;
  readonly title: string;
  readonly rows: Readonly<Record<string, readonly PanelOf[]>>;
}

const query = (legend: string, expr: string): PanelQuery => ({ legend, expr });
/** Every replica tells of all nodes, so that each is counted once. */
const node = (metric: string): string => `max by (node) (autoscaler_node_${metric})`;
const total = (metric: string): string => `sum(${node(metric)})`;
const used = (what: 'cpu' | 'memory', allocatable: string): string =>
  `sum(${node(`${what}_usage_ratio`)} * ${node(allocatable)}) / ${total(allocatable)}`;
const increase = (metric: string, by: string, window = WINDOW): string =>
  `sum by (${by}) (increase(autoscaler_${metric}[${window}]))`;
const quantile = (share: number): PanelQuery =>
  query(
    `${share * 100} %`,
    `histogram_quantile(${share}, sum by (le) (rate(autoscaler_reconciliation_duration_seconds_bucket[${WINDOW}])))`,
  );

const CLUSTER: DashboardOf = {
  uid: 'autoscaler-cluster',
  title: 'Autoscaler: cluster',
  rows: {
    'Cluster capacity and utilization': [
      {
        ...{ title: 'Workers', kind: 'timeseries', unit: 'short' },
        queries: [
          query('workers', 'max(autoscaler_current_nodes)'),
          query('Ready', total('ready')),
          query('min_nodes', 'max(autoscaler_min_nodes)'),
          query('max_nodes', 'max(autoscaler_max_nodes)'),
        ],
      },
      {
        ...{ title: 'CPU capacity', kind: 'stat', unit: 'none' },
        queries: [query('cores', total('cpu_allocatable_cores'))],
      },
      {
        ...{ title: 'Memory capacity', kind: 'stat', unit: 'bytes' },
        queries: [query('memory', total('memory_allocatable_bytes'))],
      },
      {
        ...{ title: 'Pod capacity', kind: 'stat', unit: 'none' },
        queries: [query('pods', total('pods_allocatable'))],
      },
      {
        ...{ title: 'Utilization, mean of the workers', kind: 'timeseries', unit: 'percentunit' },
        queries: [
          query('CPU', `avg(${node('cpu_usage_ratio')})`),
          query('memory', `avg(${node('memory_usage_ratio')})`),
        ],
      },
    ],
    'Individual node performance': [
      {
        ...{ title: 'CPU of each node', kind: 'timeseries', unit: 'percentunit' },
        queries: [query('{{node}}', node('cpu_usage_ratio'))],
      },
      {
        ...{ title: 'Memory of each node', kind: 'timeseries', unit: 'percentunit' },
        queries: [query('{{node}}', node('memory_usage_ratio'))],
      },
      {
        ...{ title: 'Pods of each node', kind: 'timeseries', unit: 'short' },
        queries: [query('{{node}}', node('pods'))],
      },
    ],
    'Scaling events': [
      {
        ...{ title: 'Scaling events', kind: 'timeseries', unit: 'short' },
        queries: [
          query('up, {{outcome}}', increase('scale_up_events_total', 'outcome')),
          query('down, {{outcome}}', increase('scale_down_events_total', 'outcome')),
        ],
      },
      {
        ...{ title: 'Decisions', kind: 'stacked', unit: 'short' },
        queries: [query('{{decision}}', increase('scaling_decisions_total', 'decision'))],
      },
    ],
    'Allocation and scheduling': [
      {
        ...{ title: 'CPU: allocated and used', kind: 'timeseries', unit: 'percentunit' },
        queries: [
          query('requested', `${total('cpu_requested_cores')} / ${total('cpu_allocatable_cores')}`),
          query('used', used('cpu', 'cpu_allocatable_cores')),
        ],
      },
      {
        ...{ title: 'Memory: allocated and used', kind: 'timeseries', unit: 'percentunit' },
        queries: [
          query(
            'requested',
            `${total('memory_requested_bytes')} / ${total('memory_allocatable_bytes')}`,
          ),
          query('used', used('memory', 'memory_allocatable_bytes')),
        ],
      },
      {
        ...{ title: 'Pod scheduling status', kind: 'timeseries', unit: 'short' },
        queries: [
          query('on workers', total('pods')),
          query('no node found', 'max(autoscaler_unschedulable_pods)'),
          query('of these, a new node would take', 'max(autoscaler_pending_pods)'),
        ],
      },
    ],
  },
};

const RECONCILIATION: DashboardOf = {
  uid: 'autoscaler-reconciliation',
  title: 'Autoscaler: reconciliation',
  rows: {
    Rounds: [
      {
        ...{ title: 'Reconciliation rate', kind: 'timeseries', unit: 'cpm' },
        queries: [
          query(
            'rounds a minute',
            `sum(rate(autoscaler_reconciliation_cycles_total[${WINDOW}])) * 60`,
          ),
        ],
      },
      {
        ...{ title: 'Duration', kind: 'timeseries', unit: 's' },
        queries: [quantile(0.5), quantile(0.95), quantile(0.99)],
      },
    ],
    'Issues fixed': [
      {
        ...{ title: 'Issues fixed by type', kind: 'pie', unit: 'short' },
        queries: [
          query('{{type}}', increase('reconciliation_issues_fixed_total', 'type', '$__range')),
        ],
      },
      {
        ...{ title: 'Issues fixed over time', kind: 'stacked', unit: 'short' },
        queries: [query('{{type}}', increase('reconciliation_issues_fixed_total', 'type'))],
      },
    ],
  },
};

/** The dashboards of the autoscaler, by name, as Grafana's JSON model. */
export const autoscalerDashboards = (): Readonly<Record<string, Dashboard>> =>
  Object.fromEntries([CLUSTER, RECONCILIATION].map((one) => [one.uid, dashboardOf(one)]));

/** Declares each dashboard where Grafana's sidecar finds it: as a ConfigMap with the label `grafana_dashboard`. */
export function declareAutoscalerDashboards(
  namespace: pulumi.Input<string>,
  options: pulumi.CustomResourceOptions,
): void {
  for (const [name, dashboard] of Object.entries(autoscalerDashboards()))
    new kubernetes.core.v1.ConfigMap(
      name,
      {
        metadata: { name, namespace, labels: { grafana_dashboard: '1' } },
        data: { [`${name}.json`]: `${JSON.stringify(dashboard, null, 2)}\n` },
      },
      options,
    );
}

function dashboardOf({ uid, title, rows }: DashboardOf): Dashboard {
  const dashboard = newDashboard(title, uid);
  for (const [row, panels] of Object.entries(rows)) {
    dashboard.withRow(new RowBuilder(row));
    for (const panel of panels) addPanel(dashboard, panel);
  }
  return dashboard.build();
}

function addPanel(dashboard: DashboardBuilder, { title, kind, unit, queries }: PanelOf): void {
  const filled = <T extends Timeseries | Stat | Pie>(panel: T): T => {
    panel.title(title).unit(unit).datasource(CHOSEN_PROMETHEUS).targets(targetsOf(queries));
    return panel;
  };
  if (kind === 'stat') dashboard.withPanel(filled(new Stat()).span(NARROW));
  else if (kind === 'pie') dashboard.withPanel(filled(new Pie()).span(WIDE));
  else {
    const panel = filled(new Timeseries()).min(0).span(WIDE);
    if (kind === 'stacked')
      panel.fillOpacity(50).stacking(new StackingConfigBuilder().mode(StackingMode.Normal));
    dashboard.withPanel(panel);
  }
}
