import type { EngineEvent, StepEventMetadata } from '@pulumi/pulumi/automation';
import { labelOf, nameOfUrn } from './urn';

/** Something that the engine's events mean for who watches. */
export type EngineNews =
  | { readonly kind: 'begin'; readonly key: string; readonly title: string }
  | { readonly kind: 'done'; readonly key: string }
  | { readonly kind: 'failed'; readonly key: string }
  | { readonly kind: 'status'; readonly key: string; readonly text: string }
  | { readonly kind: 'problem'; readonly severity: 'warning' | 'error'; readonly text: string };

/** Steps that change something in the world, and the verb that says so. */
const VERBS: Readonly<Record<string, string>> = {
  create: 'create',
  'create-replacement': 'create new',
  update: 'update',
  delete: 'delete',
  'delete-replaced': 'delete old',
  import: 'import',
  'import-replacement': 'import new',
};

/** True for a step about something real: not a component, the stack, a provider, or a step of the engine's own. */
function isReal(step: StepEventMetadata): boolean {
  const custom = (step.new ?? step.old)?.custom === true;
  return custom && !step.type.startsWith('pulumi:') && VERBS[step.op] !== undefined;
}

const keyOf = (step: StepEventMetadata) => `${step.op} ${step.urn}`;

/** What one event of the engine means for who watches; nothing for most of them. */
export function newsOf(event: EngineEvent): EngineNews[] {
  const { resourcePreEvent: pre, resOutputsEvent: outputs, resOpFailedEvent: failed } = event;
  if (pre && isReal(pre.metadata)) {
    const { op, type, urn } = pre.metadata;
    const title = `${VERBS[op]} ${labelOf(type, urn)}`;
    return [{ kind: 'begin', key: keyOf(pre.metadata), title }];
  }
  if (outputs && isReal(outputs.metadata)) return [{ kind: 'done', key: keyOf(outputs.metadata) }];
  if (failed && isReal(failed.metadata)) return [{ kind: 'failed', key: keyOf(failed.metadata) }];
  const { diagnosticEvent: said } = event;
  if (!said) return [];
  const text = plainText(said.message);
  if (text === '') return [];
  if (said.ephemeral) return said.urn ? [{ kind: 'status', key: said.urn, text }] : [];
  if (said.severity !== 'warning' && said.severity !== 'error') return [];
  const about = said.urn && !said.urn.includes('pulumi:pulumi:Stack') ? nameOfUrn(said.urn) : '';
  const whole = `${about ? `${about}: ` : ''}${text}${adviceOn(said.urn ?? '', text)}`;
  return [{ kind: 'problem', severity: said.severity, text: whole }];
}

/** What OpenSSH and Go say of a host that does not answer; a wrong host key, or a refused login, is another matter. */
const NO_ANSWER =
  /(dial tcp|connect to host) [^\n]*(refused|timed out|timeout|unreachable|no route to host)/i;

/** What helps against an error, on a line of its own; nothing where nobody knows. */
function adviceOn(urn: string, text: string): string {
  if (!urn.includes('command:remote:Command::') || !NO_ANSWER.test(text)) return '';
  return '\nA host that is dead is left as it is, and skipped, with `unreachable: true` beside it in berth:cluster.ssh.hosts.';
}

/** A message of the engine without its colour tags (`<{%reset%}>`) and the space around it. */
export function plainText(message: string): string {
  return message
    .replace(/<\{%[^%]*%\}>/g, '')
    .replace(new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g'), '')
    .trim();
}

/** How many resources each kind of step was about, as the engine sums up at its end. */
export type ResourceChanges = Readonly<Record<string, number | undefined>>;

/** True where nothing but `same` (or the reading of what is not ours) happened. */
export function isUnchanged(changes: ResourceChanges): boolean {
  return Object.entries(changes).every(
    ([op, count]) => op === 'same' || op === 'read' || (count ?? 0) === 0,
  );
}

/** `3 to create, 1 to delete; 40 unchanged`, or as what was done: `3 created, 1 deleted; 40 unchanged`. */
export function describeChanges(changes: ResourceChanges, tense: 'planned' | 'done'): string {
  const words = (op: string) => {
    const verb = op === 'replace' ? 'replace' : op;
    return tense === 'planned' ? `to ${verb}` : verb.endsWith('e') ? `${verb}d` : `${verb}ed`;
  };
  const parts = Object.entries(changes)
    .filter(([op, count]) => (count ?? 0) > 0 && op !== 'same' && op !== 'read')
    .filter(([op]) => !op.endsWith('-replacement') && !op.endsWith('-replaced'))
    .map(([op, count]) => `${count} ${words(op)}`);
  const same = changes.same ?? 0;
  if (parts.length === 0) return `no change; ${same} resources as declared`;
  return `${parts.join(', ')}${same > 0 ? `; ${same} unchanged` : ''}`;
}
