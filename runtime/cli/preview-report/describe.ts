import { pathKeys, valueAt, type PropertyChange } from '../preview-steps';
import { objectAt, textAt } from './inputs';
import { isSecretPath } from './secrets';
import type { PlannedStep } from './types';

/** A value longer than this is not shown, and no digest is. */
const MAX_VALUE = 40;
/** Properties that are named of one resource; of more only the number is said. */
const MAX_NAMED = 3;

/**
 * The properties that change, as people know them: `CPU_THRESHOLD 0.9 → 0.8` for the variable of a container. No value
 * of a secret is ever shown: the engine's events have none.
 * @param onlyReplacing only those that force a replacement, where the engine names some.
 */
export function describeChanges(step: PlannedStep, { onlyReplacing = false } = {}): string[] {
  const replacing = step.diffs.filter(({ replaces }) => replaces);
  const changes = onlyReplacing && replacing.length > 0 ? replacing : step.diffs;
  const said = [...new Set(changes.map((change) => describe(step, change)))].sort();
  const more = said.length - MAX_NAMED;
  return more > 0 ? [...said.slice(0, MAX_NAMED), `${more} more`] : said;
}

function describe(step: PlannedStep, change: PropertyChange): string {
  const { path } = change;
  if (isSecretPath(step, path)) return `${path} (secret)`;
  // The entries of a container's lists have no names, and their numbers say nothing.
  if (step.type.startsWith('docker:') && path.includes('[')) return pathKeys(path)[0] ?? path;
  const name = variableName(step, path) ?? labelName(path) ?? containerProperty(path) ?? path;
  const before = short(change.before);
  const after = short(change.after);
  if (change.kind === 'add') return after === undefined ? `${name} added` : `${name} = ${after}`;
  if (change.kind === 'delete') return `${name} removed`;
  return before === undefined || after === undefined ? name : `${name} ${before} → ${after}`;
}

/** The variable that a path into a container's environment is about. */
function variableName(step: PlannedStep, path: string): string | undefined {
  const [variable] = /^.*ontainers\[\d+\]\.env\[\d+\]/.exec(path) ?? [];
  if (variable === undefined) return undefined;
  const at = valueAt(step.new, variable) ?? valueAt(step.old, variable);
  return textAt(objectAt(at), 'name');
}

function labelName(path: string): string | undefined {
  const keys = pathKeys(path);
  return /\.(labels|annotations)\["/.test(path) ? keys.at(-1) : undefined;
}

const containerProperty = (path: string): string | undefined =>
  /ontainers\[\d+\]\.(.+)$/.exec(path)?.[1];

function short(value: unknown): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')
    return undefined;
  const text = String(value).replace(/@sha256:([0-9a-f]{12})[0-9a-f]*/g, '@$1');
  const saysNothing = text.length > MAX_VALUE || text === '' || /^[0-9a-f]{12,}$/.test(text);
  return saysNothing ? undefined : text;
}
