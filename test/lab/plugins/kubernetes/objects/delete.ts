import type { CallContext, Props } from '../../shared';
import type { KubeObject, Json } from '../api/cluster';
import { isNotFound } from '../api/errors';
import type { ObjectType } from '../api/token';
import { changes } from '../ready/changes';
import { isUnreachable, type Session } from '../session';
import { annotation, isSet, timeoutOf } from './annotations';
import { parseId } from './naming';
import { relinquish } from './write';

/** Kinds that go without waiting under skipAwait, as the official provider has it for historical reasons. */
const SKIPPED = /^(Namespace|Pod|ReplicationController|DaemonSet|Deployment|StatefulSet|Job)$/;

/** Deletes an object and waits until it is gone; what is gone already is fine. */
export async function deleteObject(
  session: Session,
  type: ObjectType,
  request: { id: string; inputs: Props; outputs: Props; timeoutMs?: number },
  context: CallContext,
): Promise<void> {
  const { inputs, outputs } = request;
  try {
    if (type.patch) {
      const manager = outputs.__fieldManager;
      const live = outputs as unknown as KubeObject;
      if (typeof manager === 'string') {
        await relinquish(session, type, live, manager, context.signal);
      }
      return;
    }
    await deleteAndWait(session, type, request, inputs, context);
  } catch (error) {
    if (isNotFound(error)) return;
    if (!isUnreachable(error)) throw error;
    if (!session.isOn('deleteUnreachable')) {
      throw new Error(
        `${error.message}. If the cluster is gone, set PULUMI_K8S_DELETE_UNREACHABLE=true to forget its resources`,
      );
    }
    context.log('warning', `${error.message}: forgotten, since deleteUnreachable is set`);
  }
}

async function deleteAndWait(
  session: Session,
  type: ObjectType,
  request: { id: string; timeoutMs?: number },
  inputs: Props,
  context: CallContext,
): Promise<void> {
  const kind = await session.kind(type, { signal: context.signal });
  if (!kind) return;
  const cluster = await session.cluster();
  const { namespace, name } = parseId(request.id);
  const path = await session.path(type, kind, namespace, name);
  const list = await session.path(type, kind, namespace);
  const before = await cluster.request('GET', path, { signal: context.signal });
  await cluster.request('DELETE', path, {
    signal: context.signal,
    body: {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy: propagation(annotation(inputs, 'deletionPropagation')),
      preconditions: { uid: before.metadata.uid },
    },
  });
  if (isSet(inputs, 'skipAwait') && SKIPPED.test(type.kind)) return;

  const timeoutMs = timeoutOf(inputs, request.timeoutMs);
  const sources = [{ path: list, fieldSelector: `metadata.name=${name}` }];
  let last = before;
  for await (const tick of changes(cluster, sources, { timeoutMs, signal: context.signal })) {
    // A deleted object ends the loop by its 404.
    last = await cluster.request('GET', path, { signal: context.signal });
    if (last.metadata.uid !== before.metadata.uid) return;
    const why = whyStillThere(last);
    context.status(`waiting until it is gone${why === '' ? '' : `: ${why}`}`);
    if (tick === 'timeout') {
      throw new Error(
        `${type.kind} ${request.id} was still there after ${timeoutMs / 1000} s. ${why}`,
      );
    }
  }
}

function propagation(policy: string | undefined): 'Orphan' | 'Background' | 'Foreground' {
  const known = { orphan: 'Orphan', background: 'Background' } as const;
  return known[policy?.toLowerCase() as keyof typeof known] ?? 'Foreground';
}

/** What holds an object that is being deleted: its finalizers, and for a namespace what is left in it. */
export function whyStillThere(object: KubeObject): string {
  const conditions = (object.status?.conditions ?? []) as { [key: string]: Json }[];
  const remaining = conditions
    .filter((c) => c.status === 'True' && c.type !== 'Ready' && object.kind === 'Namespace')
    .map((c) => String(c.message));
  const finalizers = [
    ...(object.metadata.finalizers ?? []),
    ...((object.spec?.finalizers ?? []) as string[]),
  ];
  return [
    ...remaining,
    ...(finalizers.length > 0 ? [`finalizers: ${finalizers.join(', ')}`] : []),
  ].join('; ');
}
