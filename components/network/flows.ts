import type { EstateConfig } from '../config';
import { EXTERNAL_SCALER_PORT } from '../plan';
import { MONGODB_PORT } from '../platform/mongodb';
import { MQTT_PORT } from '../platform/mosquitto';
import { REDIS_PORT } from '../platform/redis';
import {
  TRAEFIK_METRICS_PORT,
  TRAEFIK_WEB_PORT,
  TRAEFIK_WEBSECURE_PORT,
} from '../platform/traefik';
import { AUTOSCALER_METRICS_PORT, AUTOSCALER_PORT } from '../services/autoscaler';
import { CPU_SCHEDULER_PORT } from '../services/cpu-scheduler';
import { DOCKER_SOCKET_PROXY_PORT } from '../services/docker-socket-proxy';
import { EXTERNAL_SCALER_HTTP_PORT } from '../services/external-scaler';
import { IMAGE_FEEDER_PORT } from '../services/image-feeder';
import { LATENCY_EXTENDER_PORT } from '../services/latency-extender';
import { NODE_CONTROLLER_PORT } from '../services/node-controller';
import { PROBER_PORT } from '../services/prober';
import { WORKLOAD_POD_PORT } from '../workloads/experiment';
import { HELLOPOD_PORT } from '../workloads/hellopod';
import { endpointsOf, type Endpoint, type EndpointName } from './endpoints';

/** A port of a pod or of an address: not of the Service before it, which is gone when a policy is asked. */
export interface Port {
  readonly protocol: 'TCP' | 'UDP';
  readonly port: number;
}

/** Who calls whom at which ports; no ports are all of them. */
export interface Flow {
  readonly from: EndpointName;
  readonly to: EndpointName;
  readonly ports: readonly Port[];
}

const tcp = (...ports: readonly number[]): Port[] =>
  ports.map((port) => ({ protocol: 'TCP', port }));

/** Whom somebody calls: at these ports. */
type Calls = Readonly<Partial<Record<EndpointName, readonly Port[]>>>;

/**
 * Whom each end of a flow calls. This is the table of all traffic of the estate: the compiler asks for an entry for each new
 * service, and what is not here is denied.
 */
function callsOf(config: EstateConfig): Readonly<Record<EndpointName, Calls>> {
  const dns = [{ protocol: 'UDP', port: 53 } as const, ...tcp(53)];
  // Inside a cluster that is made here the API server answers on 6443; others may have it on 443.
  const api = tcp(6443, ...(config.cluster.kind === 'existing' ? [443] : []));
  const prometheus = prometheusPorts(config);
  const { database } = config.posture;
  const { serviceType } = config.systems.experiment;
  const reads = { dns, 'api-server': api, prometheus };
  const workload = tcp(WORKLOAD_POD_PORT);
  return {
    'cpu-scheduler': reads,
    mosquitto: {},
    'image-feeder': { dns, mosquitto: tcp(MQTT_PORT) },
    'latency-extender': { ...reads, prober: tcp(PROBER_PORT) },
    'latency-scheduler': {
      ...{ dns, 'api-server': api },
      'latency-extender': tcp(LATENCY_EXTENDER_PORT),
    },
    autoscaler: {
      ...reads,
      redis: tcp(REDIS_PORT),
      mongodb: tcp(MONGODB_PORT),
      'docker-socket-proxy': tcp(DOCKER_SOCKET_PROXY_PORT),
    },
    redis: {},
    mongodb: {},
    analyzers: {
      ...{ dns, mosquitto: tcp(MQTT_PORT) },
      database: ports(database.host, database.port),
    },
    'node-controller': reads,
    'external-scaler': { ...reads, 'node-controller': tcp(NODE_CONTROLLER_PORT) },
    keda: { dns, 'api-server': api, 'external-scaler': tcp(EXTERNAL_SCALER_PORT) },
    prober: { dns, prober: tcp(PROBER_PORT) },
    hellopod: { dns, prober: tcp(PROBER_PORT) },
    'traffic-generator': { dns, traefik: tcp(TRAEFIK_WEB_PORT) },
    traefik: { dns, 'api-server': api, hellopod: tcp(HELLOPOD_PORT) },
    'wl-deployment': {},
    'wl-deployment2': {},
    'load-generator': { dns, 'wl-deployment': workload, 'wl-deployment2': workload },
    dns: {},
    // What it forwards of `kubectl get --raw …/proxy/…` and of `npm run status`.
    'api-server': {
      'cpu-scheduler': tcp(CPU_SCHEDULER_PORT),
      'latency-extender': tcp(LATENCY_EXTENDER_PORT),
      autoscaler: tcp(AUTOSCALER_PORT),
      'node-controller': tcp(NODE_CONTROLLER_PORT),
      'external-scaler': tcp(EXTERNAL_SCALER_HTTP_PORT),
      prober: tcp(PROBER_PORT),
    },
    // What it scrapes.
    prometheus: {
      'cpu-scheduler': tcp(CPU_SCHEDULER_PORT),
      'image-feeder': tcp(IMAGE_FEEDER_PORT),
      'latency-extender': tcp(LATENCY_EXTENDER_PORT),
      autoscaler: tcp(AUTOSCALER_METRICS_PORT),
      'node-controller': tcp(NODE_CONTROLLER_PORT),
      'external-scaler': tcp(EXTERNAL_SCALER_HTTP_PORT),
      prober: tcp(PROBER_PORT),
      hellopod: tcp(HELLOPOD_PORT),
      traefik: tcp(TRAEFIK_METRICS_PORT),
      'wl-deployment': workload,
      'wl-deployment2': workload,
    },
    'docker-socket-proxy': {},
    database: {},
    anyone: {
      traefik: tcp(TRAEFIK_WEB_PORT, TRAEFIK_WEBSECURE_PORT),
      ...(serviceType !== 'ClusterIP' && { 'wl-deployment': workload, 'wl-deployment2': workload }),
    },
  };
}

/** A port of a host by its name; all, where a Service stands before it, whose pods may have another. */
function ports(host: string, port: number): Port[] {
  return /\.svc(\.|$)/.test(host) ? [] : tcp(port);
}

function prometheusPorts({ platform: { prometheus } }: EstateConfig): Port[] {
  if (prometheus.enabled) return tcp(9090);
  const { hostname, port, protocol } = new URL(prometheus.url);
  return ports(hostname, Number(port) || (protocol === 'https:' ? 443 : 80));
}

/** The flows of an estate, and what their ends are. */
export interface EstateFlows {
  readonly endpoints: Readonly<Partial<Record<EndpointName, Endpoint>>>;
  readonly flows: readonly Flow[];
}

/** The flows between what a configuration has. */
export function estateFlows(config: EstateConfig): EstateFlows {
  const endpoints = Object.fromEntries(
    Object.entries(endpointsOf(config)).filter(([, endpoint]) => endpoint !== undefined),
  ) as EstateFlows['endpoints'];
  const present = Object.keys(endpoints) as EndpointName[];
  const table = callsOf(config);
  const flows = present.flatMap((from) =>
    present.flatMap((to) => {
      const called = table[from][to];
      return called === undefined ? [] : [{ from, to, ports: called }];
    }),
  );
  return { endpoints, flows };
}
