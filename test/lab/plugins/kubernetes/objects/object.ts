import {
  containsUnknown,
  isObject,
  type Change,
  type Props,
  type ResourceType,
} from '../../shared';
import { ApiError, isNamespaceMissing, isNotFound } from '../api/errors';
import type { ObjectType } from '../api/token';
import { checkReady } from '../ready/check';
import { isUnreachable, PREVIEW_PATIENCE_MS, type Session } from '../session';
import { isSet } from './annotations';
import { checkObject } from './check';
import { deleteObject } from './delete';
import { diffObject } from './diff';
import { fieldManager, parseId } from './naming';
import { asProps, idOfLive, liveInputs, outputsOf } from './outputs';
import { fixedFields } from './replacement';
import { importedInputs } from './shape';
import { applyObject, createObject, relinquish } from './write';
import { becomeReady } from '../ready/become';

/** One Kubernetes object, of any kind that the API server has. */
export function objectResource(session: Session, type: ObjectType): ResourceType {
  const fixed = (inputs: Props) =>
    fixedFields(type, {
      mutableConfigMaps: session.isOn('enableConfigMapMutable'),
      mutableSecrets: session.isOn('enableSecretMutable'),
      immutable: inputs.immutable === true,
    });

  return {
    check: (request, context) => checkObject(session, type, request, context),

    diff({ oldInputs, oldOutputs, news }) {
      const diff = diffObject(oldInputs, oldOutputs, news, fixed(news));
      const unready =
        type.kind === 'Job' && isSet(news, 'replaceUnready') && !isComplete(oldOutputs);
      if (!unready) return Promise.resolve(diff);
      const path = ['metadata', 'annotations', 'pulumi.com/replaceUnready'];
      const change: Change = { path, kind: 'update', replace: true };
      return Promise.resolve({ ...diff, changes: [...diff.changes, change] });
    },

    async preview({ id, inputs, oldOutputs }, context) {
      if (containsUnknown(inputs) || (type.patch && id === undefined)) return inputs;
      const dryRun = { dryRun: true, signal: context.signal, patienceMs: PREVIEW_PATIENCE_MS };
      try {
        if (!(await session.kind(type, dryRun))) return inputs;
        const live =
          id === undefined
            ? await createObject(session, type, inputs, dryRun)
            : await applyObject(session, type, inputs, fieldManager(inputs, oldOutputs), dryRun);
        const outputs = outputsOf(live, oldOutputs.__fieldManager);
        delete outputs.status;
        return outputs;
      } catch (error) {
        if (isUnreachable(error))
          context.log('warning', `previewed without the cluster: ${error.message}`);
        if (isUnreachable(error) || cannotPreview(error)) return inputs;
        throw error;
      }
    },

    async create({ inputs, timeoutMs }, context) {
      const manager = fieldManager(inputs, {});
      const force = type.patch || session.isOn('upsertExistingObjects');
      const made = force
        ? await applyObject(session, type, inputs, manager, { signal: context.signal })
        : await createObject(session, type, inputs, { signal: context.signal });
      const live = await becomeReady(session, type, made, inputs, { timeoutMs, context, manager });
      return { id: idOfLive(live), outputs: outputsOf(live, manager) };
    },

    async update({ inputs, oldOutputs, timeoutMs }, context) {
      const manager = fieldManager(inputs, oldOutputs);
      const applied = await applyObject(session, type, inputs, manager, {
        signal: context.signal,
        mustExist: true,
      });
      const live = await becomeReady(session, type, applied, inputs, {
        timeoutMs,
        context,
        manager,
      });
      const before = oldOutputs.__fieldManager;
      if (typeof before === 'string' && before !== manager) {
        await relinquish(session, type, live, before, context.signal);
      }
      return outputsOf(live, manager);
    },

    async read({ id, inputs, outputs }, context) {
      const kind = await session.kind(type, { signal: context.signal });
      if (!kind) return undefined;
      const { namespace, name } = parseId(id);
      const cluster = await session.cluster();
      const path = await session.path(type, kind, namespace, name);
      try {
        const live = await cluster.request('GET', path, { signal: context.signal });
        const manager = outputs.__fieldManager;
        const imported = Object.keys(inputs).length === 0;
        const found = {
          id,
          inputs: imported ? importedInputs(asProps(live)) : liveInputs(live, inputs),
          outputs: outputsOf(live, manager ?? fieldManager(inputs, outputs)),
        };
        if (!imported) await checkReady(session, type, live, found, inputs, context.signal);
        return found;
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },

    delete: (request, context) => deleteObject(session, type, request, context),
  };
}

/** Whether a Job has completed, by what the state knows of it. */
function isComplete(outputs: Props): boolean {
  const status = isObject(outputs.status) ? outputs.status : {};
  const conditions = Array.isArray(status.conditions) ? status.conditions : [];
  return conditions.some((c) => isObject(c) && c.type === 'Complete' && c.status === 'True');
}

/** What a dry run cannot know yet: the namespace comes with this very update, or the old object is still there. */
function cannotPreview(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  return isNamespaceMissing(error) || error.status === 403 || error.reason === 'AlreadyExists';
}
