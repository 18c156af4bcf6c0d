import * as pulumi from '@pulumi/pulumi';
import type { Declared } from './record';

export const DAEMON_SET = 'kubernetes:apps/v1:DaemonSet';
export const DEPLOYMENT = 'kubernetes:apps/v1:Deployment';
export const SERVICE = 'kubernetes:core/v1:Service';
export const IMAGE = 'registry/image@sha256:1';

/** A parent for the component under test. */
export class Stack extends pulumi.ComponentResource {
  constructor() {
    super('test:index:Stack', 'stack', {});
  }
}

export interface Container {
  readonly image: string;
  readonly command?: string[];
  readonly env?: { name: string; value?: string; valueFrom?: object }[];
  readonly securityContext: object;
  readonly volumeMounts?: object[];
  readonly readinessProbe: object;
}
export interface PodTemplate {
  readonly metadata: { labels: object; annotations: Record<string, string> };
  readonly spec: {
    readonly schedulerName?: string;
    readonly automountServiceAccountToken?: boolean;
    readonly securityContext: { runAsNonRoot: boolean };
    readonly tolerations?: object[];
    readonly volumes?: object[];
    readonly containers: [Container];
  };
}

/** The spec of a Deployment or a DaemonSet. */
export const specOf = (one: Declared) =>
  one.inputs.spec as Record<string, unknown> & { replicas?: number; template: PodTemplate };

/** A container's environment: values, or where they come from. */
export const envOf = ({ env }: Container) =>
  Object.fromEntries((env ?? []).map(({ name, value, valueFrom }) => [name, value ?? valueFrom]));

/** What the restricted level asks of a container. */
export const RESTRICTED = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};
