import { bestOf, extenderScores, leastAnswered } from '../policy/extender-score';
import { NO_PROBER } from '../policy/reason';
import type { Notices } from '../ports';
import { FILTER_RULES, type FilterRule } from '../types';
import type { ExtenderArgs } from '../wire/extender-args';
import type { Fragments } from '../wire/fragments';
import { SentNames } from '../wire/sent-names';
import type { RatedNode, RatingHistory } from './history';
import type { NodeTable } from './node-table';
import type { Placements } from './placements';

export interface AnswerSettings {
  readonly nothingFresh: 'open' | 'closed';
  readonly prioritizeMaxHosts: number;
  readonly explainAllNodes: number;
}

/** How many nodes are kept for an explanation in clusters too large to keep all. */
const EXPLAINED = 10;
const CLOSED = 'no fresh probe of any node, and the extender is set to place no pod then';
const CLOSED_JSON = JSON.stringify(CLOSED);
const NO_PROBER_JSON = JSON.stringify(NO_PROBER);
const NO_FRESH_PROBE = FILTER_RULES.indexOf('no-fresh-probe') + 1;

/** Answers what kube-scheduler asks, from the table alone. Answers name only nodes that were asked for. */
export class Answers {
  /** The names that the last filter left, for parsing the question that comes next. */
  readonly sent = new SentNames();

  constructor(
    private readonly table: NodeTable,
    private readonly placements: Placements,
    private readonly history: RatingHistory,
    private readonly notices: Notices,
    private readonly fragments: Fragments,
    private readonly settings: AnswerSettings,
  ) {}

  /** JSON of an ExtenderFilterResult, with Nodes where nodes were asked for in full, else with NodeNames. */
  filter(args: ExtenderArgs, nowMs: number): string {
    const { table } = this;
    const nothingFresh = table.freshNodes === 0;
    const open = nothingFresh && this.settings.nothingFresh === 'open';
    const passed: number[] = [];
    const left: string[] = [];
    const failed: string[] = [];
    const rules = new Uint32Array(FILTER_RULES.length + 1);
    const explained: RatedNode[] = [];
    const all = args.names.length <= this.settings.explainAllNodes;
    for (let place = 0; place < args.names.length; place += 1) {
      const node = args.names[place] ?? '';
      const index = table.indexOf(node);
      const rule = open ? 0 : index === undefined ? NO_FRESH_PROBE : table.ruleCode(index);
      rules[rule] = (rules[rule] ?? 0) + 1;
      if (rule === 0) {
        passed.push(place);
        // The table's own string, where there is one: looking that up again is cheaper.
        left.push(index === undefined ? node : (table.views[index]?.node ?? node));
        if (all) explained.push({ node, view: table.view(node) });
        continue;
      }
      failed.push(
        nothingFresh || index === undefined
          ? `${this.fragments.quoted(node)}:${nothingFresh ? CLOSED_JSON : NO_PROBER_JSON}`
          : table.failedNode(index),
      );
      if (all || explained.length < EXPLAINED) {
        const why = nothingFresh ? CLOSED : (table.reason(index) ?? NO_PROBER);
        explained.push({ node, view: table.view(node), why });
      }
    }
    if (open) this.notices.readingsUnknown(args.pod, args.names.length);
    const rating = this.history.open(args.pod, true, table.target, nothingFresh);
    rating.filter = {
      atMs: nowMs,
      asked: args.names.length,
      passed: passed.length,
      rejected: countsOf(rules),
      nodes: explained,
    };
    return `{${this.#passedText(args, passed, left)},"FailedNodes":{${failed.join()}},"Error":""}`;
  }

  /** JSON of a HostPriorityList. What is left out of it scores 0. */
  prioritize(args: ExtenderArgs, nowMs: number): string {
    const { table, fragments } = this;
    const { names, pod } = args;
    const nothingFresh = table.freshNodes === 0;
    const rating = this.history.open(pod, false, table.target, nothingFresh);
    if (nothingFresh) {
      rating.prioritize = { atMs: nowMs, asked: names.length, best: undefined, nodes: [] };
      return `[${names.map((name) => fragments.equalPriority(name)).join()}]`;
    }
    const scores = new Float64Array(names.length);
    for (let place = 0; place < names.length; place += 1) {
      const index = table.indexOf(names[place] ?? '');
      scores[place] = index === undefined ? NaN : table.score(index);
    }
    const best = bestOf(names, scores);
    const mapped = new Uint8Array(names.length);
    const counts = extenderScores(scores, best, mapped);
    const least = leastAnswered(counts, this.settings.prioritizeMaxHosts);
    const answered: number[] = [];
    const hosts: string[] = [];
    for (let place = 0; place < names.length; place += 1) {
      const score = mapped[place] ?? 0;
      if (score < least) continue;
      answered.push(place);
      hosts.push(fragments.hostPriority(names[place] ?? '', score));
    }
    const bestName = names[best];
    rating.prioritize = {
      atMs: nowMs,
      asked: names.length,
      best: bestName,
      nodes: this.#explained(names, answered, scores, mapped),
    };
    // After the explanation was kept: it tells of the table that the answer was made from.
    if (bestName !== undefined) this.placements.assume(pod, bestName, nowMs);
    return `[${hosts.join()}]`;
  }

  #passedText(
    { nodeList }: ExtenderArgs,
    passed: readonly number[],
    left: readonly string[],
  ): string {
    if (nodeList === undefined) {
      const json = `"NodeNames":[${left.map((name) => this.fragments.quoted(name)).join()}]`;
      this.sent.remember(json, left);
      return json;
    }
    const items = passed.map((place) => nodeList.items[place]);
    return `"Nodes":${JSON.stringify({ ...nodeList, items })}`;
  }

  #explained(
    names: readonly string[],
    answered: readonly number[],
    scores: Float64Array,
    mapped: Uint8Array,
  ): RatedNode[] {
    const small = names.length <= this.settings.explainAllNodes;
    // Among many, those with the largest number are enough to choose from, and few.
    const top = answered.reduce((most, place) => Math.max(most, mapped[place] ?? 0), 0);
    const chosen = small
      ? answered
      : answered.filter((place) => (mapped[place] ?? 0) >= top - 1).slice(0, 1000);
    return [...chosen]
      .sort((a, b) => (scores[b] || 0) - (scores[a] || 0))
      .slice(0, small ? undefined : EXPLAINED)
      .map((place) => {
        const node = names[place] ?? '';
        return { node, view: this.table.view(node), extenderScore: mapped[place] ?? 0 };
      });
  }
}

function countsOf(rules: Uint32Array): Partial<Record<FilterRule, number>> {
  const counts: Partial<Record<FilterRule, number>> = {};
  for (const [index, rule] of FILTER_RULES.entries()) {
    const count = rules[index + 1] ?? 0;
    if (count > 0) counts[rule] = count;
  }
  return counts;
}
