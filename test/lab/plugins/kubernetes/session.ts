import type { Props } from '../shared';
import { Cluster, loadKubeconfig, type RequestOptions } from './api/cluster';
import { UnreachableError } from './api/errors';
import { Kinds, objectPath, type Kind } from './api/kinds';
import type { ObjectType } from './api/token';

/** A preview must not hang on a cluster that is down: it says so and goes on without it. */
export const PREVIEW_PATIENCE_MS = 5_000;

/** The provider's options; what each means is in the official provider's documentation. */
export const OPTIONS: Record<string, 'string' | 'json'> = {
  kubeconfig: 'string',
  context: 'string',
  cluster: 'string',
  namespace: 'string',
  clusterIdentifier: 'string',
  enableServerSideApply: 'json',
  enablePatchForce: 'json',
  enableConfigMapMutable: 'json',
  enableSecretMutable: 'json',
  upsertExistingObjects: 'json',
  deleteUnreachable: 'json',
  suppressDeprecationWarnings: 'json',
  suppressHelmHookWarnings: 'json',
};

/** A configured provider: its options and its connection, which is made when it is first needed. */
export class Session {
  private connected: Promise<{ cluster: Cluster; kinds: Kinds }> | undefined;

  constructor(private readonly options: Props) {
    if (options.enableServerSideApply === false) {
      throw new Error(
        'enableServerSideApply: false (client-side apply) is not implemented in the lab',
      );
    }
    if (this.text('kubeconfig') === undefined) {
      throw new Error(
        "the lab's kubernetes provider needs `kubeconfig`: it never takes one from the machine",
      );
    }
  }

  text(option: string): string | undefined {
    const value = this.options[option];
    return typeof value === 'string' && value !== '' ? value : undefined;
  }

  /** The official provider takes this one option from its environment, too. */
  isOn(option: string): boolean {
    const value = this.options[option];
    if (value === undefined && option === 'deleteUnreachable')
      return process.env.PULUMI_K8S_DELETE_UNREACHABLE === 'true';
    return value === true;
  }

  get kubeconfig(): string {
    return this.text('kubeconfig') ?? '';
  }

  async cluster(): Promise<Cluster> {
    return (await this.connect()).cluster;
  }

  async kind(type: ObjectType, options?: RequestOptions): Promise<Kind | undefined> {
    return (await this.connect()).kinds.find(type, options);
  }

  /** Like {@link kind}, and an error when the server does not have it. */
  async requireKind(type: ObjectType, options?: RequestOptions): Promise<Kind> {
    const kind = await this.kind(type, options);
    if (kind) return kind;
    throw new Error(
      `the Kubernetes API server does not have the kind ${type.kind} in ${type.apiVersion}: ` +
        'is its CustomResourceDefinition (CRD) there yet?',
    );
  }

  /** The path of an object in its own namespace, else the context's, else `default`. */
  async path(type: ObjectType, kind: Kind, namespace?: string, name?: string): Promise<string> {
    const fallback = (await this.cluster()).contextNamespace;
    return objectPath(type, kind, namespace ?? fallback, name);
  }

  private connect(): Promise<{ cluster: Cluster; kinds: Kinds }> {
    this.connected ??= Cluster.connect(this.kubeconfig, {
      context: this.text('context'),
      cluster: this.text('cluster'),
    }).then((cluster) => ({ cluster, kinds: new Kinds(cluster) }));
    return this.connected;
  }
}

/**
 * Options whose change means another cluster, so that all is made anew: a changed `clusterIdentifier`, or, without
 * one, another server behind the active context. While the kubeconfig is unknown the official provider assumes so.
 */
export function anotherCluster(olds: Props, news: Props): string[] {
  const identifier = news.clusterIdentifier;
  if (typeof identifier === 'string' && identifier !== '') {
    if (olds.clusterIdentifier === identifier) return [];
    if (typeof olds.clusterIdentifier === 'string') return ['clusterIdentifier'];
  }
  const before = activeServer(olds);
  const now = activeServer(news);
  if (before === undefined || now === before) return [];
  return ['kubeconfig', 'context', 'cluster'].filter((key) => olds[key] !== news[key]);
}

/** The active server and its certificate authority; nothing for options that cannot be read (or are unknown). */
function activeServer(options: Props): string | undefined {
  try {
    const config = loadKubeconfig(`${options.kubeconfig as string}`);
    if (typeof options.context === 'string') config.setCurrentContext(options.context);
    const cluster = config.getCurrentCluster();
    return cluster ? `${cluster.server} ${cluster.caData ?? cluster.caFile ?? ''}` : undefined;
  } catch {
    return undefined;
  }
}

export const isUnreachable = (error: unknown): error is UnreachableError =>
  error instanceof UnreachableError;
