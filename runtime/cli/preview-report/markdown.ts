import { shortType } from '../urn';
import { approvalKey, type Safety } from './approval';
import { describeChanges } from './describe';
import type { NodeChange, PlannedStep, PreviewReport, WorkloadChange } from './types';
import { count, listed } from './words';

export interface MarkdownOptions {
  readonly stack: string;
  readonly safety: Safety;
}

/**
 * A preview as Markdown, for a comment on a pull request: a summary line first, then what is dangerous, what it costs,
 * and what happens to nodes, jobs and services, and secrets. The same report gives the same text.
 */
export function previewMarkdown(report: PreviewReport, options: MarkdownOptions): string {
  const sections = [
    summary(report, options),
    dangers(report, options),
    cost(report),
    section('Nodes', report.nodes.map(nodeLine)),
    section('Jobs and services', grouped(report.workloads.map(workloadItem))),
    section('Replaced', grouped(report.replaced.map(replacedItem))),
    section(
      'Secrets that rotate',
      report.secrets.map(({ type, name, path }) => `${shortType(type)} \`${name}\`: \`${path}\``),
    ),
    others(report.others),
  ];
  return `${sections.filter((text) => text !== '').join('\n\n')}\n`;
}

const VERBS = ['create', 'import', 'update', 'replace', 'delete'] as const;

function summary({ counts, dangers }: PreviewReport, { stack }: MarkdownOptions): string {
  const parts = VERBS.flatMap((verb) => {
    const number = counts[verb] ?? 0;
    return number > 0 ? [`${number} to ${verb}`] : [];
  });
  const flag = dangers.length > 0 ? ' · ⚠️ **dangerous**' : '';
  return `### Preview of \`${stack}\`: ${parts.join(', ') || 'no change'}${flag}`;
}

function dangers({ dangers }: PreviewReport, { stack, safety }: MarkdownOptions): string {
  if (dangers.length === 0) return '';
  const key = approvalKey(dangers);
  const how =
    safety === 'strict'
      ? `\`berth:safety\` is strict: this update is refused unless it is approved by its key, \`npm run up -- -s ${stack} --approve ${key}\``
      : `approval key: \`${key}\` (\`berth:safety: strict\` would ask for it)`;
  return ['> [!CAUTION]', ...dangers.map(({ text }) => `> - ${text}`), '>', `> ${how}`].join('\n');
}

function cost({ cost }: PreviewReport): string {
  const { nodesGone, nodesBefore, podsStopped, podsRolled, unknown } = cost;
  const lines = [
    nodesGone.length > 0 &&
      `${nodesGone.length} of ${count(nodesBefore, 'node')} with all of their pods (${listed(nodesGone)})`,
    podsStopped > 0 && `at most ${count(podsStopped, 'pod')} before others take their place`,
    podsRolled > 0 && `${count(podsRolled, 'pod')} a few at a time, as others take their place`,
    unknown.length > 0 && `pods of ${listed(unknown)}, which the preview cannot count`,
  ].filter((line) => line !== false);
  return section('Disruption: what has to go', lines.length > 0 ? lines : ['nothing']);
}

const NODE_WORDS: Readonly<Record<NodeChange['what'], string>> = {
  join: 'joins',
  leave: 'is drained and leaves',
  replace: 'is drained, removed and made anew',
  update: 'changes while it runs',
  label: 'keeps running; its labels change',
};

function nodeLine({ node, role, what, why }: NodeChange): string {
  // Nothing drains a server: it only stops for a while.
  const words =
    role === 'server' && what === 'replace' ? 'stops and is made anew' : NODE_WORDS[what];
  const reasons = what === 'join' ? [] : why;
  return `**${node}**${role === undefined ? '' : ` (${role})`} ${words}${because(reasons)}`;
}

const WORKLOAD_WORDS: Readonly<Record<WorkloadChange['what'], string>> = {
  start: 'starts',
  stop: 'stops for good',
  restart: 'restart; pods stop before new ones start',
  roll: 'rolling restart, a few pods at a time',
  scale: 'scaled',
  later: 'no pod has to go; what starts next is changed',
  unknown: 'not known before the cluster is made anew',
};

/** One line of a list, before lines that differ in their names alone are put together. */
export interface Item {
  readonly what: string;
  readonly name: string;
  readonly text: string;
}

const workloadItem = ({ kind, name, what, why }: WorkloadChange): Item => ({
  what: kind,
  name,
  text: `: ${WORKLOAD_WORDS[what]}${because(what === 'start' || what === 'stop' ? [] : why)}`,
});

const replacedItem = (step: PlannedStep): Item => ({
  what: shortType(step.type),
  name: step.name,
  text: because(describeChanges(step, { onlyReplacing: true }), 'with what it depends on'),
});

/** One line for all that is the same but for its name. */
export function grouped(items: readonly Item[]): string[] {
  const groups = new Map<string, { item: Item; names: string[] }>();
  for (const item of items) {
    const key = `${item.what}${item.text}`;
    const group = groups.get(key) ?? { item, names: [] };
    group.names.push(item.name);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ item, names }) => {
    const times = names.length > 1 ? `${names.length} × ` : '';
    return `${times}${item.what} **${listed(names)}**${item.text}`;
  });
}

/** Reasons in brackets, or what is said where there is none. */
export function because(reasons: readonly string[], otherwise?: string): string {
  if (reasons.length > 0) return ` (${reasons.map((reason) => `\`${reason}\``).join(', ')})`;
  return otherwise === undefined ? '' : ` (${otherwise})`;
}

/** A heading with a list, or nothing where the list is empty. */
export function section(title: string, lines: readonly string[]): string {
  if (lines.length === 0) return '';
  return [`#### ${title}`, '', ...lines.map((line) => `- ${line}`)].join('\n');
}

function others(steps: readonly PlannedStep[]): string {
  if (steps.length === 0) return '';
  const items = steps.map((step) => ({
    what: `${step.op} ${shortType(step.type)}`,
    name: step.name,
    text: step.op === 'update' ? because(describeChanges(step)) : '',
  }));
  const lines = grouped(items).map((line) => `- ${line}`);
  const title = `<details><summary>${count(steps.length, 'further change')}</summary>`;
  return [title, '', ...lines, '', '</details>'].join('\n');
}
