import type { EngineEvent, PropertyDiff, StepEventMetadata } from '@pulumi/pulumi/automation';

/** One property that would change. Secrets arrive from the engine as `[secret]`. */
export interface PropertyChange {
  /** Path as the engine writes it: `spec.template.metadata.labels["app"]`. */
  readonly path: string;
  readonly kind: 'add' | 'delete' | 'update';
  /** True where this change is why the resource would be replaced. */
  readonly replaces: boolean;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** What an update would do with one resource. */
export interface PreviewStep {
  readonly op: 'create' | 'update' | 'replace' | 'delete' | 'import' | 'read' | 'refresh';
  readonly urn: string;
  readonly type: string;
  readonly diffs: readonly PropertyChange[];
}

/** How the engine's steps count: a replacement is three of them, shown as one. */
export const OPS: Readonly<Record<string, PreviewStep['op']>> = {
  create: 'create',
  update: 'update',
  delete: 'delete',
  import: 'import',
  refresh: 'refresh',
  replace: 'replace',
  'create-replacement': 'replace',
  'delete-replaced': 'replace',
  'import-replacement': 'replace',
};

/**
 * What an update would do, one step for each resource that would change, in the engine's order. The stack's own
 * resource and what stays the same are left out.
 * @param events all events of a preview.
 */
export function previewSteps(events: readonly EngineEvent[]): PreviewStep[] {
  const steps = new Map<string, PreviewStep>();
  for (const { resourcePreEvent } of events) {
    const step = resourcePreEvent?.metadata;
    const op = step && OPS[step.op];
    if (!step || !op || step.type === 'pulumi:pulumi:Stack') continue;
    const before = steps.get(step.urn);
    const diffs = op === 'update' || op === 'replace' ? changesOf(step) : [];
    if (!before) steps.set(step.urn, { op, urn: step.urn, type: step.type, diffs });
    else if (before.diffs.length === 0) steps.set(step.urn, { ...before, diffs });
  }
  return [...steps.values()];
}

/** The properties that one step of the engine changes. */
export function changesOf(step: StepEventMetadata): PropertyChange[] {
  const detailed = Object.entries(step.detailedDiff ?? {});
  const paths: [string, PropertyDiff | undefined][] =
    detailed.length > 0 ? detailed : (step.diffs ?? []).map((path) => [path, undefined]);
  return paths.map(([path, diff]) => {
    const olds = diff?.inputDiff === false ? step.old?.outputs : step.old?.inputs;
    const before = valueAt(olds, path) ?? valueAt(step.old?.inputs, path);
    const after = valueAt(step.new?.inputs, path);
    return {
      path,
      kind: kindOf(diff, before, after),
      replaces: diff?.diffKind.endsWith('-replace') ?? step.keys?.includes(path) ?? false,
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
    };
  });
}

function kindOf(
  diff: PropertyDiff | undefined,
  before: unknown,
  after: unknown,
): PropertyChange['kind'] {
  if (diff) return diff.diffKind.replace('-replace', '') as PropertyChange['kind'];
  if (before === undefined) return 'add';
  return after === undefined ? 'delete' : 'update';
}

/** The value at a property path (`a.b[0]["c.d"]`); undefined where there is none. */
export function valueAt(root: unknown, path: string): unknown {
  let value: unknown = root;
  for (const key of pathKeys(path)) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

/** The keys of a property path: `a.b[0]["c.d"]` is `a`, `b`, `0`, `c.d`. */
export function pathKeys(path: string): string[] {
  const keys: string[] = [];
  for (const [, quoted, index, plain] of path.matchAll(
    /\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.[\]]+)/g,
  ))
    keys.push(quoted?.replace(/\\(.)/g, '$1') ?? index ?? plain ?? '');
  return keys;
}
