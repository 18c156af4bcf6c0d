import { parseAllDocuments } from 'yaml';
import type { CallContext, Props } from '../../shared';
import { HelmError, type Helm } from './command';

/** A release as helm keeps it in the cluster. */
export interface Live {
  name: string;
  namespace: string;
  revision: number;
  /** `deployed`, `failed`, `pending-install`, `pending-upgrade`, … */
  status: string;
  chart: string;
  version: string;
  appVersion?: string;
}

/** The last revision of a release, or nothing when there is none. */
export async function findRelease(helm: Helm, name: string): Promise<Live | undefined> {
  try {
    const metadata = await helm('get', 'metadata', name, '--output', 'json');
    return JSON.parse(metadata) as Live;
  } catch (error) {
    if (error instanceof HelmError && error.reason.includes('release: not found')) return undefined;
    throw error;
  }
}

/**
 * Brings a release that an interrupted run left half-way into a state that helm works on: an unfinished first install
 * is taken away, an unfinished upgrade goes back to the last revision that was deployed. Returns what is there then.
 */
export async function mendRelease(
  helm: Helm,
  name: string,
  context: CallContext,
): Promise<Live | undefined> {
  const live = await findRelease(helm, name);
  if (!live || !/^(pending|uninstalling)/.test(live.status)) return live;
  context.log(
    'warning',
    `the last run left the release ${name} in the state ${live.status}: mending it`,
  );
  const deployed = live.status === 'uninstalling' ? undefined : await lastDeployed(helm, name);
  if (deployed === undefined) {
    await helm('uninstall', name, '--ignore-not-found', '--wait');
    return undefined;
  }
  await helm('rollback', name, `${deployed}`);
  return findRelease(helm, name);
}

async function lastDeployed(helm: Helm, name: string): Promise<number | undefined> {
  const history = JSON.parse(await helm('history', name, '--output', 'json')) as {
    revision: number;
    status: string;
  }[];
  return history.findLast(({ status }) => ['deployed', 'superseded'].includes(status))?.revision;
}

/** What the provider reports of a release: its status, and the names of its objects by `Kind.group/version`. */
export async function releaseOutputs(helm: Helm, inputs: Props, live: Live): Promise<Props> {
  const { name, namespace, revision, status, chart, version } = live;
  const manifest = await helm('get', 'manifest', name);
  return {
    ...inputs,
    name,
    namespace,
    version,
    resourceNames: resourceNames(manifest),
    status: {
      ...{ name, namespace, revision, status, chart, version },
      ...(live.appVersion === undefined ? {} : { appVersion: live.appVersion }),
    },
  };
}

/** `{"Deployment.apps/apps/v1": ["monitoring/grafana"], "Secret/v1": …}` of a rendered manifest. */
export function resourceNames(manifest: string): Record<string, string[]> {
  const names: Record<string, string[]> = {};
  for (const { apiVersion, kind, metadata } of objectsOf(manifest)) {
    const group = apiVersion.includes('/') ? `.${apiVersion.split('/')[0]}` : '';
    const qualified =
      metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
    (names[`${kind}${group}/${apiVersion}`] ??= []).push(qualified);
  }
  for (const list of Object.values(names)) list.sort();
  return names;
}

export interface ManifestObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
}

/** The objects of a rendered manifest. */
export function objectsOf(manifest: string): ManifestObject[] {
  return parseAllDocuments(manifest)
    .map((document) => document.toJS() as ManifestObject | null)
    .filter((object): object is ManifestObject => typeof object?.kind === 'string');
}
