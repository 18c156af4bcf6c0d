import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import type { PlatformConfig } from '../config-schema';
import type { RuleGroup } from '../services/autoscaler-alerts';
import { chartArgs } from './helm-release';

/** Prometheus with node-exporter on every node, and kube-state-metrics if asked: one pinned Helm release. */
export class Prometheus extends pulumi.ComponentResource {
  /** URL inside the cluster. */
  readonly url: pulumi.Output<string>;

  constructor(
    name: string,
    args: {
      readonly prometheus: PlatformConfig['prometheus'];
      /** True where nodes are containers, whose CPU only their control groups tell. */
      readonly nodeCgroups: boolean;
      /** Groups of alerts, by name. */
      readonly alerts?: Readonly<Record<string, RuleGroup>>;
      /** What kube-state-metrics tells of and may list, such as `pods`; without any there is none. */
      readonly clusterObjects?: readonly string[];
    },
    options: pulumi.ComponentResourceOptions,
  ) {
    super('berth:platform:Prometheus', name, {}, options);
    const { namespace, release, scrapeIntervalSeconds, retention } = args.prometheus;
    const interval = `${scrapeIntervalSeconds}s`;
    const alerts = Object.entries(args.alerts ?? {});
    const collectors = args.clusterObjects ?? [];
    const helm = new kubernetes.helm.v3.Release(
      name,
      {
        ...chartArgs(args.prometheus),
        namespace,
        createNamespace: true,
        values: {
          fullnameOverride: release,
          alertmanager: { enabled: false },
          grafana: { enabled: false },
          kubeStateMetrics: { enabled: collectors.length > 0 },
          ...(collectors.length > 0 && { 'kube-state-metrics': { collectors } }),
          nodeExporter: { enabled: true },
          kubelet: {
            enabled: true,
            serviceMonitor: {
              interval,
              cAdvisor: true,
              cAdvisorInterval: interval,
              ...(args.nodeCgroups && { cAdvisorMetricRelabelings: usageOfNodesAndPods }),
            },
          },
          ...(alerts.length > 0 && {
            additionalPrometheusRulesMap: Object.fromEntries(
              alerts.map(([group, rules]) => [group, { groups: [rules] }]),
            ),
          }),
          prometheus: {
            prometheusSpec: {
              scrapeInterval: interval,
              evaluationInterval: interval,
              retention,
              additionalScrapeConfigs: [annotatedPods],
            },
          },
        },
      },
      { parent: this },
    );
    this.url = pulumi.interpolate`http://${release}-prometheus.${helm.status.namespace}.svc:9090`;
    this.registerOutputs({ url: this.url });
  }
}

/**
 * In place of the chart's own list, which drops limits and every cgroup that is no pod's: the usage of a node that is
 * a container is that of its own cgroup against its limit. What else the machine runs is left out.
 */
const usageOfNodesAndPods = [
  {
    sourceLabels: ['__name__'],
    regex: [
      'container_cpu_usage_seconds_total',
      'container_spec_cpu_quota',
      'container_spec_cpu_period',
      'container_memory_working_set_bytes',
      'container_spec_memory_limit_bytes',
    ].join('|'),
    action: 'keep',
  },
  { sourceLabels: ['id'], regex: '/|/([^/]+/)?[0-9a-f]{64}(/.*)?|.*/?kubepods.*', action: 'keep' },
];

/** Scrapes the pods that ask for it with the customary annotations. */
const annotatedPods = {
  job_name: 'annotated-pods',
  kubernetes_sd_configs: [{ role: 'pod' }],
  // A pod is called by its address, which is in no certificate.
  tls_config: { insecure_skip_verify: true },
  relabel_configs: [
    {
      source_labels: ['__meta_kubernetes_pod_annotation_prometheus_io_scrape'],
      action: 'keep',
      regex: 'true',
    },
    {
      source_labels: ['__meta_kubernetes_pod_annotation_prometheus_io_scheme'],
      action: 'replace',
      target_label: '__scheme__',
      regex: '(https?)',
    },
    {
      source_labels: ['__meta_kubernetes_pod_annotation_prometheus_io_path'],
      action: 'replace',
      target_label: '__metrics_path__',
      regex: '(.+)',
    },
    {
      source_labels: ['__address__', '__meta_kubernetes_pod_annotation_prometheus_io_port'],
      action: 'replace',
      regex: '([^:]+)(?::\\d+)?;(\\d+)',
      replacement: '$1:$2',
      target_label: '__address__',
    },
    { source_labels: ['__meta_kubernetes_namespace'], target_label: 'namespace' },
    { source_labels: ['__meta_kubernetes_pod_name'], target_label: 'pod' },
    { source_labels: ['__meta_kubernetes_pod_node_name'], target_label: 'node' },
  ],
};
