import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { hasStack, type Engine } from '../project';
import type { RunCommand } from '../run-command';
import { stackFolder } from '../stack-folder';
import { reviewOf, type Review } from './names';

/** A review that the backend has. */
export interface ReviewStack extends Review {
  readonly stack: string;
  /** Undefined where the backend does not say. */
  readonly lastUpdate?: string | undefined;
}

/** What `pulumi stack ls --json` says of a stack. */
interface ListedStack {
  readonly name: string;
  readonly lastUpdate?: string;
}

/** The reviews in the state beside this checkout. */
export function ownReviews(projectDir: string): ReviewStack[] {
  const root = join(projectDir, '.berth');
  const names = existsSync(root) ? readdirSync(root) : [];
  return reviewsAmong(
    names.filter((name) => reviewOf(name) && hasStack(stackFolder(projectDir, name))),
  );
}

/** The reviews of a project in the backend that the environment names. */
export async function backendReviews(
  projectDir: string,
  engine: Engine,
  run: RunCommand,
): Promise<ReviewStack[]> {
  const args = ['-C', projectDir, 'stack', 'ls', '--json', '--non-interactive'];
  const text = await run(engine.pulumi, args, { env: engine.env });
  const listed = JSON.parse(text) as ListedStack[];
  const last = new Map(listed.map(({ name, lastUpdate }) => [shortName(name), lastUpdate]));
  return reviewsAmong([...last.keys()]).map((one) => ({ ...one, lastUpdate: last.get(one.stack) }));
}

/** A backend may put the organization and the project before a stack's name. */
const shortName = (name: string): string => name.slice(name.lastIndexOf('/') + 1);

/** Those of some stacks that are reviews, by number. */
export const reviewsAmong = (stacks: readonly string[]): ReviewStack[] =>
  stacks
    .flatMap((stack) => {
      const review = reviewOf(stack);
      return review === undefined ? [] : [{ ...review, stack }];
    })
    .sort((a, b) => a.pullRequest - b.pullRequest || a.base.localeCompare(b.base));

/** Those whose pull request is open no more. */
export const leaked = (
  reviews: readonly ReviewStack[],
  open: readonly number[],
): readonly ReviewStack[] => reviews.filter(({ pullRequest }) => !open.includes(pullRequest));
