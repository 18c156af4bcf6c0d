import type { Collection, Db } from 'mongodb';
import type { Rule } from '../policy/rules';
import type { DecisionQuery, DecisionRecord, Decisions, RuleChange } from '../ports';
import type { Decision } from '../types';
import { withinLimit } from './mongo-limit';

interface StoredDecision {
  /** When it was made, ms since 1970: one leader decides, and one thing at a time. */
  readonly _id: number;
  readonly decision: string;
  readonly snapshot: string;
}
type StoredRule = Omit<Rule, 'name'> & { readonly _id: string };

/** So many decisions may be there beyond what is kept, until the oldest are removed. */
const SLACK = 50;

/** Decisions for replay, and rules, in MongoDB: the collections `decisions` and `rules`. Rejects while it is away. */
export class MongoDecisions implements Decisions {
  readonly #decisions: Collection<StoredDecision>;
  readonly #rules: Collection<StoredRule>;
  #added = 0;

  constructor(
    database: Db,
    /** Time limit of each method. */
    private readonly timeoutMs: number,
    /** How many decisions are kept, the latest. */
    private readonly kept: number,
  ) {
    this.#decisions = database.collection('decisions');
    this.#rules = database.collection('rules');
  }

  add({ decision, snapshot }: DecisionRecord): Promise<void> {
    return withinLimit(this.timeoutMs, this.#add(decision, snapshot));
  }

  list({ limit, sinceMs = 0, beforeMs }: DecisionQuery): Promise<readonly DecisionRecord[]> {
    const range = { $gte: sinceMs, ...(beforeMs !== undefined && { $lt: beforeMs }) };
    return withinLimit(
      this.timeoutMs,
      this.#decisions
        .find({ _id: range })
        .sort({ _id: -1 })
        .limit(limit)
        .toArray()
        .then((found) =>
          found.map(({ decision, snapshot }) => ({
            decision: JSON.parse(decision) as Decision,
            snapshot,
          })),
        ),
    );
  }

  initRules(rules: readonly Rule[]): Promise<readonly RuleChange[]> {
    return withinLimit(this.timeoutMs, this.#initRules(rules));
  }

  async #add(decision: Decision, snapshot: string): Promise<void> {
    const document = { decision: JSON.stringify(decision), snapshot };
    await this.#decisions.replaceOne({ _id: decision.atMs }, document, { upsert: true });
    this.#added += 1;
    if (this.#added % SLACK !== 1) return;
    const [last] = await this.#decisions
      .find({})
      .sort({ _id: -1 })
      .skip(this.kept)
      .limit(1)
      .toArray();
    if (last !== undefined) await this.#decisions.deleteMany({ _id: { $lte: last._id } });
  }

  async #initRules(rules: readonly Rule[]): Promise<readonly RuleChange[]> {
    const changes: RuleChange[] = [];
    for (const rule of rules) {
      const { name, ...fields } = rule;
      const before = await this.#rules.findOne({ _id: name });
      const same =
        before !== null &&
        Object.entries(fields).every(([key, value]) => before[key as 'most'] === value);
      if (!same) await this.#rules.replaceOne({ _id: name }, fields, { upsert: true });
      const change = before === null ? 'created' : same ? 'unchanged' : 'updated';
      changes.push({ ...rule, change });
    }
    return changes;
  }
}
