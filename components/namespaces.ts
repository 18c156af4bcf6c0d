import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import type { Guard } from './network/guard';
import { NAMESPACES } from './plan';

/** Labels by which a namespace says what its pods may do. */
export const podSecurity = (enforce: 'restricted' | 'privileged') => ({
  'pod-security.kubernetes.io/enforce': enforce,
  'pod-security.kubernetes.io/warn': 'restricted',
});

/** The namespaces that Berth owns. */
export class Namespaces extends pulumi.ComponentResource {
  readonly posture: pulumi.Output<string>;
  readonly system: pulumi.Output<string>;

  constructor(
    name: string,
    args: { readonly guard: Guard },
    options: pulumi.ComponentResourceOptions,
  ) {
    super('berth:index:Namespaces', name, {}, options);
    const namespace = (id: string, level: 'restricted' | 'privileged') => {
      const { metadata } = new kubernetes.core.v1.Namespace(
        id,
        { metadata: { name: id, labels: podSecurity(level) } },
        { parent: this },
      );
      return args.guard(metadata.name, id, this);
    };
    this.system = namespace(NAMESPACES.system, 'restricted');
    // The analyzers write to /var/lib/posture/analyzed_images of their node, and no level but this one allows a
    // hostPath. Everything else about their pods is as `restricted` asks.
    this.posture = namespace(NAMESPACES.posture, 'privileged');
    this.registerOutputs({ posture: this.posture, system: this.system });
  }
}
