/** A resource as the engine shows it to a policy: its inputs, with secrets in plain text. */
export interface PolicyResource {
  /** Type token: `kubernetes:apps/v1:Deployment`. */
  readonly type: string;
  /** Name in the program. */
  readonly name: string;
  readonly inputs: Readonly<Record<string, unknown>>;
}

/** One thing that a resource does and a policy forbids. */
export interface Violation {
  /** The part at fault, such as a container or a volume: what an exception names. */
  readonly subject: string;
  /** What is wrong, where, and how to mend it. No value of a secret. */
  readonly text: string;
}

/** A rule for single resources. */
export interface EstatePolicy {
  readonly name: string;
  readonly description: string;
  /** What the resource does against the rule, exceptions included. Pure. */
  readonly violations: (resource: PolicyResource) => readonly Violation[];
}
