import type { KubeObject } from '../api/cluster';
import { readiness } from '../ready/predicates';
import { problems } from '../ready/problems';
import type { Session } from '../session';
import type { Helm } from './command';
import { objectsOf } from './state';

const WAITED_FOR = ['Deployment', 'StatefulSet', 'DaemonSet', 'Job', 'Pod'];

/** Why a release is not ready: helm only says that its time is up, so its workloads are asked. */
export async function releaseProblems(
  session: Session,
  helm: Helm,
  name: string,
  namespace: string,
): Promise<string[]> {
  try {
    const objects = objectsOf(await helm('get', 'manifest', name));
    const cluster = await session.cluster();
    const found: string[] = [];
    for (const object of objects.filter(({ kind }) => WAITED_FOR.includes(kind))) {
      const type = { apiVersion: object.apiVersion, kind: object.kind, patch: false };
      const kind = await session.requireKind(type, { patienceMs: 0 });
      const place = object.metadata.namespace ?? namespace;
      const path = await session.path(type, kind, place, object.metadata.name);
      const live = await cluster.request<KubeObject>('GET', path, { patienceMs: 0 });
      const progress = readiness(type.apiVersion, type.kind)?.(live, {});
      if (progress && !progress.ready) {
        found.push(`${type.kind} ${place}/${object.metadata.name}: ${progress.message}`);
        found.push(...(await problems(cluster, live)));
      }
    }
    return found;
  } catch {
    return [];
  }
}
