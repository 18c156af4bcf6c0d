import type { RuleChange, DecisionRecord } from '../../autoscaler/ports';
import type { Decision, Evidence, ScalingEvent } from '../../autoscaler/types';

/** What the REST API answers, as far as the commands read it. */
export interface Health {
  readonly ok: boolean;
  readonly status: string;
  readonly role: string;
  readonly kubernetes: StoreState;
  readonly redis: StoreState;
  readonly mongodb: StoreState;
  readonly docker: StoreState;
  /** `known`, or what is wrong. */
  readonly prometheus: { readonly cpu: string; readonly memory: string };
}
interface StoreState {
  readonly state: string;
}
export type LastDecision = Partial<Evidence> & {
  readonly decision: Decision['kind'] | null;
  readonly reason?: string;
};
/** A share of a node that is used. */
export interface Shown {
  readonly ratio?: number;
}
export interface NodeAnswer {
  readonly name: string;
  readonly worker: boolean;
  readonly ready: boolean;
  readonly cordoned: boolean;
  readonly pods: number;
  readonly cpu: Shown;
  readonly memory: Shown;
}
export interface WorkerAnswer {
  readonly name: string;
  readonly container: { readonly running: boolean } | null;
  readonly record: { readonly permanent: boolean } | null;
  readonly operation: { readonly kind: string; readonly step: string } | null;
}
export interface ReconciliationAnswer {
  readonly last: {
    readonly atMs: number;
    readonly found: readonly unknown[];
    readonly fixed: readonly unknown[];
    readonly failed: readonly unknown[];
  } | null;
}
export interface HistoryAnswer {
  readonly source: string;
  readonly events: readonly (ScalingEvent & { readonly at: string })[];
}
export interface DecisionsAnswer {
  readonly decisions: readonly DecisionRecord[];
}
export interface RulesAnswer {
  readonly rules: readonly RuleChange[];
}

/** All that `cluster:status` shows. */
export interface ClusterStatus {
  readonly health: Health;
  readonly cluster: LastDecision;
  readonly nodes: readonly NodeAnswer[];
  readonly workers: readonly WorkerAnswer[];
  readonly reconciliation: ReconciliationAnswer['last'];
}
