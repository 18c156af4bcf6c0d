import type { Props } from '../../shared';
import type { KubeObject } from '../api/cluster';
import { ApiError, isNotFound } from '../api/errors';
import type { ObjectType } from '../api/token';
import type { Session } from '../session';
import { isSet } from './annotations';
import { nameOf, namespaceOf } from './naming';
import { CREATOR, needsTakeover, takeover } from './ownership';

interface WriteOptions {
  signal: AbortSignal;
  /** Let the server work out the result and keep nothing. */
  dryRun?: boolean;
  patienceMs?: number;
  mustExist?: boolean;
}

const APPLY = 'application/apply-patch+yaml';

/** Makes an object that must not exist yet. Fields that the API does not know are errors. */
export async function createObject(
  session: Session,
  type: ObjectType,
  inputs: Props,
  options: WriteOptions,
): Promise<KubeObject> {
  const kind = await session.requireKind(type, options);
  const path = await session.path(type, kind, namespaceOf(inputs));
  const cluster = await session.cluster();
  try {
    return await cluster.request('POST', path, {
      ...options,
      query: { fieldManager: CREATOR, fieldValidation: 'Strict', dryRun: dryRunOf(options) },
      body: inputs,
    });
  } catch (error) {
    if (error instanceof ApiError && error.reason === 'AlreadyExists' && !options.dryRun) {
      throw new Error(
        `${error.message}. The resource already exists in the cluster: import it with \`pulumi import\`, manage ` +
          'some of its fields with a Patch resource, or set upsertExistingObjects on the provider',
      );
    }
    throw error;
  }
}

/** Applies the inputs on the server's side: fields dropped since the last time go, fields of others stay. */
export async function applyObject(
  session: Session,
  type: ObjectType,
  inputs: Props,
  manager: string,
  options: WriteOptions,
): Promise<KubeObject> {
  const kind = await session.requireKind(type, options);
  const path = await session.path(type, kind, namespaceOf(inputs), nameOf(inputs));
  const cluster = await session.cluster();
  const live = await existing(() => cluster.request('GET', path, options));
  if (!live && options.mustExist) {
    throw new Error(
      `${type.kind} ${nameOf(inputs)} is gone from the cluster: run \`pulumi refresh\``,
    );
  }
  const takes = live !== undefined && !type.patch && needsTakeover(live);
  if (takes && !options.dryRun) {
    await cluster.request('PATCH', path, {
      ...options,
      body: takeover(live, manager),
      contentType: 'application/json-patch+json',
    });
  }
  const force =
    isSet(inputs, 'patchForce') ||
    session.isOn('enablePatchForce') ||
    (options.dryRun === true && (takes || live === undefined));
  try {
    return await cluster.request('PATCH', path, {
      ...options,
      query: { fieldManager: manager, force: `${force}`, dryRun: dryRunOf(options) },
      body: inputs,
      contentType: APPLY,
    });
  } catch (error) {
    if (!(error instanceof ApiError) || error.reason !== 'Conflict') throw error;
    throw new Error(
      `server-side apply field conflict, ${manager} against another owner: ${error.message}. ` +
        'Leave the field to its owner, or set the annotation pulumi.com/patchForce',
    );
  }
}

/** Gives up all fields that a manager owns: what nobody else owns goes. An object that is gone is fine. */
export async function relinquish(
  session: Session,
  type: ObjectType,
  object: KubeObject,
  manager: string,
  signal: AbortSignal,
): Promise<void> {
  const kind = await session.requireKind(type, { signal });
  const { name, namespace } = object.metadata;
  const path = await session.path(type, kind, namespace, name);
  const cluster = await session.cluster();
  // Applying to an object that is gone would make it.
  const live = await existing(() => cluster.request('GET', path, { signal }));
  if (!live) return;
  await cluster.request('PATCH', path, {
    signal,
    query: { fieldManager: manager },
    body: {
      apiVersion: type.apiVersion,
      kind: type.kind,
      metadata: { name, namespace, uid: live.metadata.uid },
    },
    contentType: APPLY,
  });
}

const dryRunOf = (options: WriteOptions): string | undefined =>
  options.dryRun ? 'All' : undefined;

async function existing(get: () => Promise<KubeObject>): Promise<KubeObject | undefined> {
  try {
    return await get();
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
