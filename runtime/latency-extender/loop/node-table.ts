import { NO_PROBER, reasonOf } from '../policy/reason';
import { viewOf, reaches, type ViewSettings } from '../policy/view';
import { chooseTarget } from '../policy/target';
import {
  FILTER_RULES,
  type FilterRule,
  type NodeView,
  type ProbedNode,
  type Target,
} from '../types';
import type { Placements } from './placements';

/** The busiest node, as far as it is known. */
export interface Wanted {
  readonly node: string | undefined;
  /** Why there is none. */
  readonly why: string;
}

const NOT_YET: Target = { node: undefined, why: 'nothing was read yet' };
/** Place of a rule in the arrays; 0 is that the node is in. */
const codeOf = (rule: FilterRule | undefined): number =>
  rule === undefined ? 0 : FILTER_RULES.indexOf(rule) + 1;

/**
 * What is to be answered about each node, ready to be looked up: requests for thousands of nodes come many times a
 * second, readings every few seconds. Reasons are made into text when one is first asked for.
 */
export class NodeTable {
  #indexes = new Map<string, number>();
  #probed: readonly ProbedNode[] = [];
  #views: NodeView[] = [];
  /** Entry of each node in FailedNodes, as JSON, once it was asked for. */
  #failed: (string | undefined)[] = [];
  /** Code of the rule that keeps a node out, 0 for one that is in. */
  #rules = new Uint8Array(0);
  /** Score of a node, NaN for one that is out. */
  #scores = new Float64Array(0);
  #target = NOT_YET;
  #fresh = 0;

  constructor(
    private readonly settings: ViewSettings,
    private readonly placements: Pick<Placements, 'cpuRatio'>,
  ) {}

  get target(): Target {
    return this.#target;
  }

  get views(): readonly NodeView[] {
    return this.#views;
  }

  /** Nodes with a fresh probe; 0 is that nothing is known. */
  get freshNodes(): number {
    return this.#fresh;
  }

  /** Makes all of it anew. */
  rebuild(probed: readonly ProbedNode[], wanted: Wanted, nowMs: number): void {
    const { probeMaxAgeMs } = this.settings;
    this.#probed = probed;
    this.#fresh = probed.filter(
      ({ reading }) => reading !== undefined && nowMs - reading.receivedAtMs <= probeMaxAgeMs,
    ).length;
    const coverage = (target: string): number =>
      probed.filter((one) => reaches(one, target, probeMaxAgeMs, nowMs)).length;
    this.#target = chooseTarget({
      wanted: wanted.node,
      wantedWhy: wanted.why,
      current: this.#target.node,
      freshNodes: this.#fresh,
      coverage,
    });
    this.#indexes = new Map(probed.map(({ node }, index) => [node, index]));
    this.#views = new Array<NodeView>(probed.length);
    this.#failed = new Array<string | undefined>(probed.length).fill(undefined);
    this.#rules = new Uint8Array(probed.length);
    this.#scores = new Float64Array(probed.length);
    for (let index = 0; index < probed.length; index += 1) this.#judge(index, nowMs);
  }

  /** Judges one node anew, whose placements have changed. */
  refresh(node: string, nowMs: number): void {
    const index = this.#indexes.get(node);
    if (index !== undefined) this.#judge(index, nowMs);
  }

  /** Place of a node, for the calls below; undefined for one without a prober. */
  indexOf(node: string): number | undefined {
    return this.#indexes.get(node);
  }

  /** 0 for a node that is in, else the place of its rule among FILTER_RULES, from 1. */
  ruleCode(index: number): number {
    return this.#rules[index] ?? codeOf('no-fresh-probe');
  }

  /** NaN for a node that is out. */
  score(index: number): number {
    return this.#scores[index] ?? NaN;
  }

  view(node: string): NodeView | undefined {
    const index = this.#indexes.get(node);
    return index === undefined ? undefined : this.#views[index];
  }

  /** Why a node is out; undefined when it is in. */
  reason(index: number | undefined): string | undefined {
    const view = index === undefined ? undefined : this.#views[index];
    return view === undefined ? NO_PROBER : reasonOf(view, this.#target.node, this.settings);
  }

  /** `"name":"reason"` of a node that is out. */
  failedNode(index: number): string {
    const node = this.#views[index]?.node ?? '';
    return (this.#failed[index] ??=
      `${JSON.stringify(node)}:${JSON.stringify(this.reason(index) ?? '')}`);
  }

  #judge(index: number, nowMs: number): void {
    const probed = this.#probed[index];
    if (probed === undefined) return;
    const around = { target: this.#target.node, alone: this.#probed.length === 1 };
    const placed = this.#placedRatio(probed);
    const view = viewOf(probed, placed, around, this.settings, nowMs);
    this.#views[index] = view;
    this.#failed[index] = undefined;
    this.#rules[index] = codeOf(view.rule);
    this.#scores[index] = view.score ?? NaN;
  }

  #placedRatio({ node, reading }: ProbedNode): number {
    const cpu = reading?.scores.cpu ?? undefined;
    if (reading === undefined || cpu === undefined) return 0;
    return this.placements.cpuRatio(node, reading.receivedAtMs - cpu.ageMs, cpu.cores);
  }
}
