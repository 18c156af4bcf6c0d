import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import { LOAD_TEMPLATE_NAME } from '../../runtime/experiment/names';
import { restrictedContainer, restrictedPod } from '../pod';

const CONTROL_PLANE = 'node-role.kubernetes.io/control-plane';

export interface LoadTemplateArgs {
  readonly namespace: pulumi.Input<string>;
  readonly image: pulumi.Input<string>;
  readonly imagePullSecrets: readonly { readonly name: pulumi.Input<string> }[];
  /** Where the load goes unless a Job says otherwise. */
  readonly host: pulumi.Input<string>;
  readonly port: number;
}

/** A CronJob that never runs by itself: what Jobs of the load generator are made from. */
export class LoadTemplate extends pulumi.ComponentResource {
  constructor(name: string, args: LoadTemplateArgs, options: pulumi.ComponentResourceOptions) {
    super('berth:workloads:LoadTemplate', name, {}, options);
    const labels = { 'app.kubernetes.io/name': LOAD_TEMPLATE_NAME };
    new kubernetes.batch.v1.CronJob(
      name,
      {
        metadata: { name: LOAD_TEMPLATE_NAME, namespace: args.namespace, labels },
        spec: {
          suspend: true,
          schedule: '0 0 1 1 *',
          jobTemplate: {
            metadata: { labels },
            spec: {
              // Half a load and another one is no load that can be compared.
              backoffLimit: 0,
              template: { metadata: { labels }, spec: this.#pod(args) },
            },
          },
        },
      },
      { parent: this },
    );
    this.registerOutputs({});
  }

  #pod({ image, imagePullSecrets, host, port }: LoadTemplateArgs) {
    return {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      securityContext: restrictedPod(),
      imagePullSecrets: [...imagePullSecrets],
      // Always the same node, where there is one, and away from those that are compared.
      affinity: {
        nodeAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            {
              weight: 100,
              preference: { matchExpressions: [{ key: CONTROL_PLANE, operator: 'Exists' }] },
            },
          ],
        },
      },
      tolerations: [{ key: CONTROL_PLANE, operator: 'Exists', effect: 'NoSchedule' }],
      containers: [
        {
          name: 'load-generator',
          image,
          args: [...['--ip', host], ...['--port', String(port)]],
          securityContext: restrictedContainer,
          resources: {
            requests: { cpu: '100m', memory: '64Mi' },
            limits: { memory: '256Mi' },
          },
        },
      ],
    };
  }
}
