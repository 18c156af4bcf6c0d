import type { Cluster, RequestOptions } from './cluster';
import { isNotFound } from './errors';
import type { ObjectType } from './token';

/** Where objects of a kind live on the API server. */
export interface Kind {
  /** For example `deployments`. */
  plural: string;
  namespaced: boolean;
}

interface ResourceList {
  resources: { name: string; kind: string; namespaced: boolean }[];
}

/** Asks the API server which kinds it has, once for each group version. */
export class Kinds {
  private readonly lists = new Map<string, Promise<ResourceList | undefined>>();

  constructor(private readonly cluster: Cluster) {}

  /** The kind, or nothing when the server does not have it (its CustomResourceDefinition may come later). */
  async find(type: ObjectType, options: RequestOptions = {}): Promise<Kind | undefined> {
    const { apiVersion } = type;
    if (!this.lists.has(apiVersion)) this.lists.set(apiVersion, this.fetch(apiVersion, options));
    let list: ResourceList | undefined;
    try {
      list = await this.lists.get(apiVersion);
    } catch (error) {
      this.lists.delete(apiVersion);
      throw error;
    }
    const found = list?.resources.find((r) => r.kind === type.kind && !r.name.includes('/'));
    if (!found) this.lists.delete(apiVersion);
    return found && { plural: found.name, namespaced: found.namespaced };
  }

  private async fetch(
    apiVersion: string,
    options: RequestOptions,
  ): Promise<ResourceList | undefined> {
    try {
      return await this.cluster.request<ResourceList>('GET', groupPath(apiVersion), options);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }
}

const groupPath = (apiVersion: string): string =>
  apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;

/** The path of an object, or of all objects of its kind without a name. */
export function objectPath(
  type: ObjectType,
  kind: Kind,
  namespace: string | undefined,
  name?: string,
): string {
  const parts = [groupPath(type.apiVersion)];
  if (kind.namespaced) parts.push(`namespaces/${namespace ?? 'default'}`);
  parts.push(kind.plural);
  if (name !== undefined) parts.push(encodeURIComponent(name));
  return parts.join('/');
}
