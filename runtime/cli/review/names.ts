import { createHash } from 'node:crypto';
import { UserError } from '../user-error';

/** A stack of its own for one pull request, made like another stack. */
export interface Review {
  readonly pullRequest: number;
  /** The stack whose configuration it has. */
  readonly base: string;
}

const MAX_STACK_NAME = 100;
const MAX_PULL_REQUEST = 9_999_999;
/** As long as a Docker cluster's name may be. */
const MAX_CLUSTER_NAME = 40;
/** Below the ports that a machine gives out by itself. */
const PORTS = { first: 20_000, count: 12_000 };

/** The name of a review's stack: `pr-12-ci`. @throws UserError for what has none. */
export function reviewStack({ pullRequest, base }: Review): string {
  if (!Number.isInteger(pullRequest) || pullRequest < 1 || pullRequest > MAX_PULL_REQUEST)
    throw new UserError(`--pr ${pullRequest}: must be the number of a pull request`);
  const name = `pr-${pullRequest}-${base}`;
  if (reviewOf(base) !== undefined)
    throw new UserError(`--base ${base}: is a review itself, and the base of none`);
  if (!/^[A-Za-z0-9_.-]+$/.test(base) || name.length > MAX_STACK_NAME)
    throw new UserError(
      `--base ${base}: only letters, digits, "-", "_" and "." are allowed, at most ${MAX_STACK_NAME} with pr-${pullRequest}-`,
    );
  return name;
}

/** The review that a stack is by its name; undefined for any other stack. */
export function reviewOf(stack: string): Review | undefined {
  const [, number = '', base = ''] = /^pr-([1-9]\d{0,6})-([A-Za-z0-9_.-]+)$/.exec(stack) ?? [];
  return number === '' ? undefined : { pullRequest: Number(number), base };
}

/** The name of a review's Docker cluster, which is a DNS label: two reviews never have the same. */
export function reviewCluster(review: Review): string {
  const stack = reviewStack(review);
  const name = `berth-${stack}`;
  if (name.length <= MAX_CLUSTER_NAME && /^[a-z0-9-]*[a-z0-9]$/.test(name)) return name;
  return `berth-pr-${review.pullRequest}-${createHash('sha256').update(stack).digest('hex').slice(0, 12)}`;
}

/** Where a review's API server is published: those of one base differ while their numbers are near. */
export function reviewPort({ pullRequest, base }: Review): number {
  const offset = createHash('sha256').update(base).digest().readUInt16BE(0);
  return PORTS.first + ((offset + pullRequest) % PORTS.count);
}
