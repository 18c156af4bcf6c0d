import { clusterSchema } from './cluster';
import { imagesSchema } from './images';
import { networkPoliciesSchema } from './network-policies';
import { nodesSchema } from './nodes';
import { platformSchema } from './platform';
import { postureSchema } from './posture';
import { disruptionBudgetSchema, extendsSchema, protectSchema, safetySchema } from './review';
import { systemsSchema } from './systems';

/** Every key of `berth:` that holds no secret. */
export const estateSchemas = {
  cluster: clusterSchema,
  nodes: nodesSchema,
  images: imagesSchema,
  platform: platformSchema,
  posture: postureSchema,
  systems: systemsSchema,
  networkPolicies: networkPoliciesSchema,
  safety: safetySchema,
  protect: protectSchema,
  disruptionBudget: disruptionBudgetSchema,
  extends: extendsSchema,
} as const;

export type { AutoscalingConfig } from './autoscaling';
export type { ClusterConfig, DockerClusterConfig } from './cluster';
export type { ExperimentConfig } from './experiment';
export type { ImagesConfig } from './images';
export { simulatedLatenciesText, type LatencySchedulingConfig } from './latency-scheduling';
export type { NetworkPoliciesConfig } from './network-policies';
export type { NodeConfig } from './nodes';
export type {
  KedaConfig,
  MetricsServerConfig,
  PlatformConfig,
  StoreConfig,
  TraefikConfig,
} from './platform';
export type { PostureConfig } from './posture';
export type { DisruptionBudgetConfig, ProtectConfig, SafetyConfig } from './review';
export type { CpuSchedulingConfig, EventScalingConfig, SystemsConfig } from './systems';
export type { CertificateSource } from './tls';
export {
  ARCHITECTURES,
  type Architecture,
  type SshClusterConfig,
  type SshHost,
} from './ssh-cluster';
