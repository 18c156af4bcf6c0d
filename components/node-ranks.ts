import * as command from '@pulumi/command';
import * as pulumi from '@pulumi/pulumi';
import { withKubectl } from './kubectl';
import { RANK_LABEL } from './plan';

/** Takes the ranks that the node controller gave off all nodes when it goes. Creates nothing. */
export class NodeRanks extends pulumi.ComponentResource {
  constructor(
    name: string,
    args: { readonly kubeconfig: pulumi.Input<string> },
    options: pulumi.ComponentResourceOptions,
  ) {
    super('berth:index:NodeRanks', name, {}, options);
    new command.local.Command(
      name,
      {
        create: 'true',
        delete: withKubectl(`kubectl label node --all '${RANK_LABEL}-' >/dev/null || true`),
        environment: { BERTH_KUBECONFIG: args.kubeconfig },
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
