import * as command from '@pulumi/command';
import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import type { NodeConfig } from './config-schema';
import type { Cluster } from './hosts/cluster';
import { withKubectl } from './kubectl';
import { nodeLabels } from './plan';

/**
 * Labels, slot and taints of nodes, set on existing Node objects and taken off again when they leave the
 * configuration.
 */
export class NodeSlots extends pulumi.ComponentResource {
  constructor(
    name: string,
    args: { readonly cluster: Cluster; readonly nodes: readonly NodeConfig[] },
    options?: pulumi.ComponentResourceOptions,
  ) {
    super('berth:index:NodeSlots', name, {}, options);
    const { provider, nodesReady, kubeconfig } = args.cluster;
    for (const node of args.nodes) {
      const after = nodesReady[node.name];
      const dependsOn = after === undefined ? [] : [after];
      const labels = nodeLabels(node);
      if (Object.keys(labels).length > 0)
        new kubernetes.core.v1.NodePatch(
          `${name}-${node.name}`,
          {
            metadata: {
              name: node.name,
              labels,
              annotations: { 'pulumi.com/patchForce': 'true' },
            },
          },
          { parent: this, provider, dependsOn },
        );
      // One command for each taint: a node's taints are one list, which the node lifecycle controller writes too.
      for (const taint of node.taints) {
        const target = `${taint.key}${taint.value === '' ? '' : `=${taint.value}`}:${taint.effect}`;
        const set = withKubectl(`kubectl taint node ${node.name} '${target}' --overwrite`);
        new command.local.Command(
          `${name}-${node.name}-taint-${taint.key.replaceAll('/', '-')}-${taint.effect.toLowerCase()}`,
          {
            create: set,
            update: set,
            delete: withKubectl(
              `kubectl get node ${node.name} >/dev/null 2>&1 || exit 0\n` +
                `kubectl taint node ${node.name} '${taint.key}:${taint.effect}-' || true`,
            ),
            environment: { BERTH_KUBECONFIG: kubeconfig },
          },
          { parent: this, dependsOn },
        );
      }
    }
    this.registerOutputs({});
  }
}
