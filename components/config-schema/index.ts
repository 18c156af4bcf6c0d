import { clusterSchema } from './cluster';
import { imagesSchema } from './images';
import { nodesSchema } from './nodes';
import { platformSchema } from './platform';
import { postureSchema } from './posture';
import { systemsSchema } from './systems';

/** Every key of `berth:` that holds no secret. */
export const estateSchemas = {
  cluster: clusterSchema,
  nodes: nodesSchema,
  images: imagesSchema,
  platform: platformSchema,
  posture: postureSchema,
  systems: systemsSchema,
} as const;

export type { ClusterConfig, DockerClusterConfig } from './cluster';
export type { ExperimentConfig } from './experiment';
export type { ImagesConfig } from './images';
export { simulatedLatenciesText, type LatencySchedulingConfig } from './latency-scheduling';
export type { NodeConfig } from './nodes';
export type { KedaConfig, MetricsServerConfig, PlatformConfig, TraefikConfig } from './platform';
export type { PostureConfig } from './posture';
export type { CpuSchedulingConfig, EventScalingConfig, SystemsConfig } from './systems';
