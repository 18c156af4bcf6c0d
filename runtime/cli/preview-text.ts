import type { PreviewStep, PropertyChange } from './preview-steps';
import { labelOf } from './urn';

const SYMBOLS: Readonly<Record<PreviewStep['op'], string>> = {
  create: '+ create ',
  update: '~ update ',
  replace: '± replace',
  delete: '- delete ',
  import: '= import ',
  read: '> read   ',
  refresh: '~ refresh',
};

/** A value longer than this is cut off: a preview names what changes, the engine's own diff shows all of it. */
const MAX_VALUE = 80;

/**
 * The steps of a preview as lines: one for each resource, and below it one for each property that changes. Providers
 * are left out: they are how the engine works, and not what it works on.
 */
export function previewLines(steps: readonly PreviewStep[]): string[] {
  const shown = steps.filter(({ type }) => !type.startsWith('pulumi:providers:'));
  return shown.flatMap((step) => [
    `${SYMBOLS[step.op]} ${labelOf(step.type, step.urn)}`,
    ...step.diffs.map((change) => `      ${changeLine(change)}`),
  ]);
}

function changeLine({ path, kind, replaces, before, after }: PropertyChange): string {
  const why = replaces ? ' (forces the replacement)' : '';
  switch (kind) {
    case 'add':
      return `+ ${path}: ${short(after)}${why}`;
    case 'delete':
      return `- ${path}: ${short(before)}${why}`;
    case 'update':
      return `~ ${path}: ${short(before)} → ${short(after)}${why}`;
  }
}

function short(value: unknown): string {
  if (value === undefined) return '(known after the update)';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}…` : text;
}
