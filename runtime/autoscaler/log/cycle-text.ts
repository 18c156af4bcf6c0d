import type { Decision, Evidence, Usage } from '../types';

/** The line of the log that each cycle writes. */
export interface CycleLine {
  readonly msg: 'cycle';
  /** When, as ISO 8601. */
  readonly time: string;
  /** Counted since the process has started. */
  readonly cycle: number;
  readonly dryRun: boolean;
  readonly decision: Decision['kind'];
  /** Of workers that are added. */
  readonly count?: number;
  /** Workers that are removed. */
  readonly nodes?: readonly string[];
  readonly reason: string;
  readonly evidence: Evidence;
}

/** The fields of a cycle's line. */
export function cycleFields(cycle: number, dryRun: boolean, decision: Decision) {
  const { kind, reason, evidence } = decision;
  return {
    ...{ cycle, dryRun, decision: kind },
    ...(decision.kind === 'up' && { count: decision.count }),
    ...(decision.kind === 'down' && { nodes: decision.nodes }),
    ...{ reason, evidence },
  };
}

/** Whether a line of the log is that of a cycle. */
export const isCycle = (line: Readonly<Record<string, unknown>>): boolean =>
  line['msg'] === 'cycle' && typeof line['cycle'] === 'number';

/** How parts of the text stand out; both leave it as it is where there are no colours. */
export interface Emphasis {
  separator(text: string): string;
  header(text: string): string;
}

const BAR = '='.repeat(18);

/** A cycle as people read it: a numbered separator, and what was seen, decided and begun, each under its header. */
export function cycleText(line: CycleLine, { separator, header }: Emphasis): string {
  const at = line.time.slice(0, 19).replace('T', ' ');
  const section = (name: string, lines: readonly string[]): string[] => [
    header(`--- ${name} [${at}] ---`),
    ...lines,
    '',
  ];
  return [
    '',
    separator(`${BAR} AUTOSCALING CYCLE #${line.cycle} ${BAR}`),
    ...section('METRICS COLLECTION', seen(line.evidence)),
    ...section('SCALING DECISION', decided(line)),
    ...section('SCALING EXECUTION', [begun(line)]),
  ].join('\n');
}

function seen({ workers, adding, removing, pending, cpu, memory, passedOver }: Evidence): string[] {
  const coming = adding + removing === 0 ? '' : ` (${adding} coming, ${removing} going)`;
  return [
    `Collected metrics: ${workers} nodes${coming}, ${pending} pending, CPU: ${percent(cpu)}, Memory: ${percent(memory)}`,
    ...passedOver.map(({ pod, why }) => `Pod ${pod} waits in vain: ${why}`),
  ];
}

function decided({ decision, count = 0, nodes = [], reason, evidence }: CycleLine): string[] {
  const what = {
    up: `Scale up by ${count}`,
    down: `Scale down ${nodes.join(', ')}`,
    hold: 'No scaling',
  }[decision];
  return [
    `Decision: ${what} (${reason})`,
    ...evidence.kept.map(({ node, why }) => `Node ${node} stays: ${why}`),
  ];
}

function begun({ decision, dryRun, count = 0, nodes = [] }: CycleLine): string {
  if (dryRun) return 'Dry-run mode: Skipping actual scaling execution';
  if (decision === 'up') return `Adding ${count === 1 ? '1 worker' : `${count} workers`}`;
  return decision === 'down' ? `Removing ${nodes.join(', ')}` : 'Nothing to execute';
}

/** What is unknown makes it a range. */
function percent({ leastRatio, mostRatio, unknown }: Usage): string {
  const [least, most] = [leastRatio, mostRatio].map((ratio) => (ratio * 100).toFixed(1));
  return least === most ? `${least}%` : `${least}..${most}% (unknown of ${unknown})`;
}
