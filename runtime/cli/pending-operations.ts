/** The parts of an exported deployment that pending operations are about. */
export interface DeploymentState {
  readonly pending_operations?: readonly PendingOperation[];
  readonly resources?: readonly StateResource[];
  readonly [other: string]: unknown;
}

export interface StateResource {
  readonly urn: string;
  readonly type: string;
  /** The engine refuses to delete or replace it. */
  readonly protect?: boolean;
  readonly inputs?: Readonly<Record<string, unknown>>;
}

/** What the engine was doing when it was killed. */
export interface PendingOperation {
  readonly type: 'creating' | 'updating' | 'deleting' | 'reading' | 'importing';
  readonly resource: StateResource;
}

/** An object of a Docker engine that may have been made without the state knowing of it. */
export interface HalfMade {
  readonly kind: 'container' | 'network' | 'volume';
  readonly name: string;
}

const DOCKER_KINDS: Readonly<Record<string, HalfMade['kind']>> = {
  'docker:index/container:Container': 'container',
  'docker:index/network:Network': 'network',
  'docker:index/volume:Volume': 'volume',
};

/**
 * Docker objects whose creation was cut off. The next run would create them again, and fail because the name is
 * taken; a Kubernetes object is applied by its name, so its creation can simply be repeated.
 */
export function halfMadeObjects(deployment: DeploymentState): HalfMade[] {
  return (deployment.pending_operations ?? []).flatMap(({ type, resource }) => {
    const kind = DOCKER_KINDS[resource.type];
    const name = resource.inputs?.name;
    return type === 'creating' && kind !== undefined && typeof name === 'string'
      ? [{ kind, name }]
      : [];
  });
}

/**
 * The deployment without its pending operations: what was being created is not in it, and what was being updated or
 * deleted is in it as it was, so the next run does all of them again.
 */
export function withoutPendingOperations(deployment: DeploymentState): DeploymentState {
  return { ...deployment, pending_operations: [] };
}
