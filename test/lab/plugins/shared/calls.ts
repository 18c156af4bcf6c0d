import { replacedAt, diffProps, formatPath, type Change, type ChangeKind } from './property-diff';
import type { CallContext, CheckFailure, Plugin, ResourceType } from './provider';
import { DiffResponse, PropertyDiff } from '@pulumi/pulumi/proto/provider_pb';
import { UNKNOWN, type Props, type Value } from './values';

const KINDS: Record<ChangeKind, [PropertyDiff.Kind, PropertyDiff.Kind]> = {
  add: [PropertyDiff.Kind.ADD, PropertyDiff.Kind.ADD_REPLACE],
  delete: [PropertyDiff.Kind.DELETE, PropertyDiff.Kind.DELETE_REPLACE],
  update: [PropertyDiff.Kind.UPDATE, PropertyDiff.Kind.UPDATE_REPLACE],
};

/** The resource type of a token, or an error that says what the lab lacks. */
export function resourceType(plugin: Plugin, token: string): ResourceType {
  const type = plugin.resource(token);
  if (type === undefined) {
    throw new Error(`the lab's ${plugin.name} provider does not implement the resource ${token}`);
  }
  return type;
}

/** Checks inputs: what is not implemented is refused by name, the rest is the type's own affair. */
export async function checkResource(
  type: ResourceType,
  request: { olds: Props; news: Props; randomSeed: Uint8Array },
  context: CallContext,
): Promise<{ inputs: Props; failures: CheckFailure[] }> {
  const failures = Object.keys(request.news)
    .filter((key) => request.news[key] !== null && type.properties?.includes(key) === false)
    .map((key) => ({
      property: key,
      reason: `the lab does not implement the property ${key} of ${context.type}`,
    }));
  const checked = await type.check?.(request, context);
  return {
    inputs: checked?.inputs ?? request.news,
    failures: [...failures, ...(checked?.failures ?? [])],
  };
}

/** What changed and which of it needs a new resource. */
export async function diffResource(
  type: ResourceType,
  request: { id: string; oldInputs: Props; oldOutputs: Props; news: Props },
  context: CallContext,
): Promise<DiffResponse> {
  const own = await type.diff?.(request, context);
  if (own) return diffResponse(own.changes, own.deleteBeforeReplace);
  const changes = diffProps(request.oldInputs, request.news);
  const judged =
    type.update === undefined
      ? changes.map((change) => ({ ...change, replace: true }))
      : replacedAt(changes, type.replaceOn ?? []);
  return diffResponse(judged, type.deleteBeforeReplace);
}

/** Changes as the engine wants them, each with its path and kind. */
export function diffResponse(
  changes: readonly Change[],
  deleteBeforeReplace = false,
): DiffResponse {
  const response = new DiffResponse()
    .setChanges(
      changes.length > 0 ? DiffResponse.DiffChanges.DIFF_SOME : DiffResponse.DiffChanges.DIFF_NONE,
    )
    .setHasdetaileddiff(true)
    .setDeletebeforereplace(deleteBeforeReplace && changes.some((change) => change.replace))
    .setDiffsList(topLevel(changes))
    .setReplacesList(topLevel(changes.filter((change) => change.replace)));
  for (const { path, kind, replace } of changes) {
    const detail = new PropertyDiff().setKind(KINDS[kind][replace ? 1 : 0]).setInputdiff(true);
    response.getDetaileddiffMap().set(formatPath(path), detail);
  }
  return response;
}

const topLevel = (changes: readonly Change[]): string[] => [
  ...new Set(changes.map((change) => `${change.path[0]}`)),
];

/** Provider options from their wire form; unknown names are failures. */
export function decodeOptions(
  plugin: Plugin,
  raw: Props,
): { options: Props; failures: CheckFailure[] } {
  const options: Props = {};
  const failures: CheckFailure[] = [];
  for (const [key, value] of Object.entries(raw)) {
    if (key === 'version' || key === 'pluginDownloadURL' || value === null) continue;
    const form = plugin.options[key];
    if (form === undefined) {
      const reason = `the lab's ${plugin.name} provider does not implement the option ${key}`;
      failures.push({ property: key, reason });
    } else {
      options[key] = form === 'json' ? fromJson(value) : value;
    }
  }
  return { options, failures };
}

function fromJson(value: Value): Value {
  if (typeof value !== 'string' || value === UNKNOWN) return value;
  try {
    return JSON.parse(value) as Value;
  } catch {
    return value;
  }
}
