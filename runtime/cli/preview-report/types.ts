import type { PreviewStep, PropertyChange } from '../preview-steps';

/** A resource's inputs as the engine's events show them: secrets without their values, what is not known yet left out. */
export type Inputs = Readonly<Record<string, unknown>>;

/** What a preview says of one resource, of those that stay the same too. */
export interface PlannedStep {
  readonly op: PreviewStep['op'] | 'same';
  readonly urn: string;
  readonly type: string;
  /** Name in the program. */
  readonly name: string;
  /** False for a component, which only groups others. */
  readonly isReal: boolean;
  /** What it is now; undefined for what would be created. */
  readonly old?: Inputs;
  /** What it would be; undefined for what would be deleted. */
  readonly new?: Inputs;
  readonly diffs: readonly PropertyChange[];
}

export type NodeRole = 'server' | 'agent';

/** What happens to one node of the cluster. */
export interface NodeChange {
  /** Name of the Kubernetes node. */
  readonly node: string;
  /** Undefined for a node that the estate labels and does not make. */
  readonly role?: NodeRole;
  /**
   * join: it is new; leave: it is drained and removed; replace: it is drained, removed and made anew;
   * update: it is changed while it runs; label: only its labels change.
   */
  readonly what: 'join' | 'leave' | 'replace' | 'update' | 'label';
  /** The properties that change, as text without secrets. */
  readonly why: readonly string[];
}

/** What happens to the pods of one workload. */
export interface WorkloadChange {
  readonly kind: string;
  readonly name: string;
  readonly urn: string;
  /**
   * start: it is new; stop: it goes; restart: all its pods stop before new ones start; roll: its pods are replaced
   * a few at a time; scale: pods are added or taken away; later: what runs ends as it is, what starts next is changed;
   * unknown: the preview cannot tell, since the cluster itself is made anew.
   */
  readonly what: 'start' | 'stop' | 'restart' | 'roll' | 'scale' | 'later' | 'unknown';
  /** Pods that have to go; undefined where the preview cannot know. */
  readonly podsGone: number | undefined;
  readonly why: readonly string[];
}

/** A secret that gets another value. The value is in no event, and so in no report. */
export interface SecretChange {
  readonly type: string;
  readonly name: string;
  readonly path: string;
}

/** Something that cannot be taken back, or that takes away more than was agreed on. */
export interface Danger {
  readonly rule: 'datastore' | 'nodes' | 'pods' | 'servers';
  /** What the danger is about: URNs or names, in a fixed order. */
  readonly subjects: readonly string[];
  readonly text: string;
}

/** How much may go in one update without being a danger. */
export interface DisruptionBudget {
  readonly nodes: number;
  readonly pods: number;
}

/** What a change costs those who use the estate. */
export interface DisruptionCost {
  /** Nodes that leave or are made anew, and how many there are before. */
  readonly nodesGone: readonly string[];
  readonly nodesBefore: number;
  /** Pods of workloads that stop before anything takes their place. */
  readonly podsStopped: number;
  /** Pods that are replaced a few at a time. */
  readonly podsRolled: number;
  /** Workloads of which the preview cannot know the pods. */
  readonly unknown: readonly string[];
}

/** What people want to know of a preview. */
export interface PreviewReport {
  /** How many resources each kind of step is about; components and providers are not counted. */
  readonly counts: Readonly<Partial<Record<PreviewStep['op'], number>>>;
  readonly dangers: readonly Danger[];
  readonly cost: DisruptionCost;
  readonly nodes: readonly NodeChange[];
  readonly workloads: readonly WorkloadChange[];
  /** All that is made anew. */
  readonly replaced: readonly PlannedStep[];
  readonly secrets: readonly SecretChange[];
  /** What is created, updated or deleted and named nowhere above. */
  readonly others: readonly PlannedStep[];
}
