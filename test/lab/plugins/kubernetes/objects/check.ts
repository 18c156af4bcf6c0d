import { isObject, UNKNOWN, type CallContext, type CheckFailure, type Props } from '../../shared';
import type { ObjectType } from '../api/token';
import { isUnreachable, PREVIEW_PATIENCE_MS, type Session } from '../session';
import { unknownSteering } from './annotations';
import { nameOf, namespaceOf, withName } from './naming';

/** Kinds without a namespace that a program may declare while its cluster cannot be asked. */
const CLUSTER_WIDE =
  /^(Namespace|Node|PersistentVolume|ClusterRole|ClusterRoleBinding|StorageClass|PriorityClass|RuntimeClass|IngressClass|CustomResourceDefinition|APIService|(Mutating|Validating)WebhookConfiguration|CSIDriver)$/;

/** Names the object, puts it into the provider's namespace, and refuses what the lab does not implement. */
export async function checkObject(
  session: Session,
  type: ObjectType,
  request: { olds: Props; news: Props; randomSeed: Uint8Array },
  context: CallContext,
): Promise<{ inputs: Props; failures: CheckFailure[] }> {
  const failures: CheckFailure[] = [];
  const refuse = (property: string, reason: string) => failures.push({ property, reason });
  const typed: Props = { ...request.news, apiVersion: type.apiVersion, kind: type.kind };
  for (const steering of unknownSteering(typed)) {
    refuse('metadata.annotations', `the lab does not implement the annotation ${steering}`);
  }
  if (isObject(typed.metadata) && typed.metadata.generateName !== undefined) {
    refuse(
      'metadata.generateName',
      'metadata.generateName is not supported with server-side apply',
    );
  }
  if (type.patch && nameOf(typed) === undefined && !isUnknownName(typed)) {
    refuse('metadata.name', 'patch resources require the metadata.name field to be set');
  }
  const named = type.patch
    ? typed
    : withName(typed, request.olds, context.name, request.randomSeed);
  return { inputs: await withDefaultNamespace(session, type, named), failures };
}

const isUnknownName = (inputs: Props): boolean =>
  inputs.metadata === UNKNOWN || (isObject(inputs.metadata) && inputs.metadata.name === UNKNOWN);

async function withDefaultNamespace(
  session: Session,
  type: ObjectType,
  inputs: Props,
): Promise<Props> {
  const namespace = session.text('namespace');
  const metadata = inputs.metadata;
  if (namespace === undefined || !isObject(metadata)) return inputs;
  if (namespaceOf(inputs) !== undefined || !(await isNamespaced(session, type))) return inputs;
  return { ...inputs, metadata: { ...metadata, namespace } };
}

async function isNamespaced(session: Session, type: ObjectType): Promise<boolean> {
  try {
    const kind = await session.kind(type, { patienceMs: PREVIEW_PATIENCE_MS });
    if (kind) return kind.namespaced;
  } catch (error) {
    if (!isUnreachable(error)) throw error;
  }
  return !CLUSTER_WIDE.test(type.kind);
}
