/** Where the experiment runs. */
export const EXPERIMENT_NAMESPACE = 'workload';

/** The container whose pods are counted; the dashboard's query knows it by this name. */
export const WORKLOAD_CONTAINER = 'wl-container';

/** What the dashboard's queries are about, as kube-state-metrics names kinds of objects. */
export const DASHBOARD_OBJECTS: readonly string[] = ['horizontalpodautoscalers', 'pods'];

/** A workload: a Deployment behind a Service, scaled by a HorizontalPodAutoscaler. */
export interface WorkloadNames {
  readonly deployment: string;
  readonly service: string;
  readonly autoscaler: string;
}

/** Both workloads. */
export const WORKLOADS: readonly WorkloadNames[] = ['', '2'].map((suffix) => ({
  deployment: `wl-deployment${suffix}`,
  service: `wl-service${suffix}`,
  autoscaler: `wl-hpa${suffix}`,
}));

/** Port of the Services. */
export const WORKLOAD_PORT = 6060;

/** The suspended CronJob from which Jobs of the load generator are made. */
export const LOAD_TEMPLATE_NAME = 'wl-load-generator';

/** Schedulers that can be compared, and the system that brings each. */
export const SCHEDULER_SYSTEMS = {
  'default-scheduler': undefined,
  'cpu-scheduler': 'cpuScheduling',
  'latency-aware-scheduler': 'latencyScheduling',
} as const satisfies Readonly<Record<string, string | undefined>>;

export type SchedulerName = keyof typeof SCHEDULER_SYSTEMS;

export const SCHEDULER_NAMES = Object.keys(SCHEDULER_SYSTEMS) as SchedulerName[];
