import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import { restrictedContainer, restrictedPod } from '../pod';

/** Seconds after which the load generator ends, and is started anew. */
const DURATION_SECONDS = 86_400;
const CONCURRENCY = 20;

export interface TrafficGeneratorArgs {
  readonly namespace: pulumi.Input<string>;
  readonly image: pulumi.Input<string>;
  /** It runs on this node, as users that are near it would. */
  readonly node: string;
  /** `http://HOST` where its requests go: with a Traefik on every node, its own node's takes them. */
  readonly url: pulumi.Input<string>;
  readonly path: string;
  readonly ratePerSecond: number;
}

/** Sends requests at a steady rate from one node. */
export class TrafficGenerator extends pulumi.ComponentResource {
  constructor(name: string, args: TrafficGeneratorArgs, options: pulumi.ComponentResourceOptions) {
    super('berth:workloads:TrafficGenerator', name, {}, options);
    const labels = { 'app.kubernetes.io/name': name };
    const url = pulumi.output(args.url).apply((text) => new URL(text));
    const flags: Readonly<Record<string, pulumi.Input<string>>> = {
      ip: url.apply(({ hostname }) => hostname),
      port: url.apply(({ port }) => port || '80'),
      path: args.path,
      qps: String(args.ratePerSecond),
      concurrency: String(CONCURRENCY),
      duration: String(DURATION_SECONDS),
    };
    new kubernetes.apps.v1.Deployment(
      name,
      {
        metadata: { name, namespace: args.namespace, labels },
        spec: {
          replicas: 1,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: {
              automountServiceAccountToken: false,
              securityContext: restrictedPod(),
              affinity: {
                nodeAffinity: {
                  requiredDuringSchedulingIgnoredDuringExecution: {
                    nodeSelectorTerms: [
                      {
                        matchFields: [
                          { key: 'metadata.name', operator: 'In', values: [args.node] },
                        ],
                      },
                    ],
                  },
                },
              },
              containers: [
                {
                  name,
                  image: args.image,
                  args: Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]),
                  securityContext: restrictedContainer,
                  resources: {
                    requests: { cpu: '20m', memory: '48Mi' },
                    limits: { memory: '192Mi' },
                  },
                },
              ],
            },
          },
        },
      },
      { parent: this },
    );
    this.registerOutputs({});
  }
}
