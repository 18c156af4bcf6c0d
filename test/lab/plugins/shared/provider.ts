import type { Change } from './property-diff';
import type { Props } from './values';

/** What every call carries: who it is for, how to report, and when to give up. */
export interface CallContext {
  urn: string;
  /** The resource's name in the program, for example `posture-pi1`. */
  name: string;
  /** The type token, for example `kubernetes:core/v1:Namespace`. */
  type: string;
  /** Aborted when the user cancels: waits must end on it. */
  signal: AbortSignal;
  /** A line that stays in the output of `pulumi up`, shown under the resource. */
  log(severity: 'debug' | 'info' | 'warning' | 'error', message: string): void;
  /** The resource's passing state, shown beside it while it is worked on. */
  status(message: string): void;
}

export interface CheckFailure {
  /** The property at fault, as a Pulumi path; empty for the whole resource. */
  property: string;
  reason: string;
}

/**
 * One resource type. All properties are plain values: secrets are unwrapped, and the framework marks them again
 * wherever the checked inputs or the outputs have a value at the same place. A value the preview cannot know is
 * `UNKNOWN`; only `check`, `diff` and `preview` ever see one.
 */
export interface ResourceType {
  /** The inputs that are implemented; any other one is refused by name. Leave out to let `check` judge all. */
  properties?: readonly string[];
  /** Fills in defaults and validates. Default: the inputs as they are. */
  check?(
    request: { olds: Props; news: Props; randomSeed: Uint8Array },
    context: CallContext,
  ): Promise<{ inputs: Props; failures?: CheckFailure[] }>;
  /** Input paths (see `matchesPath`) that only a new resource can change, for the default diff. */
  replaceOn?: readonly string[];
  /** Default: old inputs against new ones; a change in `replaceOn`, or any without `update`, replaces. */
  diff?(
    request: { id: string; oldInputs: Props; oldOutputs: Props; news: Props },
    context: CallContext,
  ): Promise<{ changes: Change[]; deleteBeforeReplace?: boolean }>;
  /** With the default diff: the old resource must go before the new one can be made. */
  deleteBeforeReplace?: boolean;
  /** The outputs that a create (no `id`) or an update would give. Default: the inputs, the rest unknown. */
  preview?(
    request: { id?: string; inputs: Props; oldInputs: Props; oldOutputs: Props },
    context: CallContext,
  ): Promise<Props>;
  create(
    request: { inputs: Props; timeoutMs?: number },
    context: CallContext,
  ): Promise<{ id: string; outputs: Props }>;
  /** The resource as it is now, or nothing when it is gone. `inputs` is empty on import. */
  read?(
    request: { id: string; inputs: Props; outputs: Props },
    context: CallContext,
  ): Promise<{ id: string; inputs: Props; outputs: Props } | undefined>;
  update?(
    request: {
      id: string;
      inputs: Props;
      oldInputs: Props;
      oldOutputs: Props;
      timeoutMs?: number;
    },
    context: CallContext,
  ): Promise<Props>;
  /** Must be content when the resource is gone already. Default: nothing to do. */
  delete?(
    request: { id: string; inputs: Props; outputs: Props; timeoutMs?: number },
    context: CallContext,
  ): Promise<void>;
}

/** A provider: its options, its resource types and its functions. */
export interface Plugin {
  name: string;
  version: string;
  /** Provider options that are implemented. The SDK sends every one that is not a string as JSON: `json`. */
  options: Record<string, 'string' | 'json'>;
  /** Called once with the decoded options, all known, before any resource. Should be quick and not connect. */
  configure(options: Props): void | Promise<void>;
  /** Options whose change replaces the provider and with it every resource that it made. May see `UNKNOWN`. */
  replacedBy?(olds: Props, news: Props): string[];
  /** The type of a token, or nothing when the lab does not implement it. */
  resource(token: string): ResourceType | undefined;
  /** Functions (`local.run` …) by token. */
  functions?: Record<string, (args: Props, context: CallContext) => Promise<Props>>;
}

/**
 * Thrown by create, update or read when the resource exists but did not become ready: the engine keeps `id` and
 * `outputs` in the state with the reasons, fails, and the next `up` calls update.
 */
export class InitError extends Error {
  constructor(
    readonly id: string,
    readonly outputs: Props,
    readonly reasons: string[],
    readonly inputs: Props = {},
  ) {
    super(reasons.join('; '));
  }
}
