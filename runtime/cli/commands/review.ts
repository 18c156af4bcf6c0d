import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stackFileValues } from '../../../components/inheritance';
import type { CommandContext, CommonOptions } from '../command-context';
import { reviewStack, type Review } from '../review/names';
import { reviewSettings, type ReviewSettings } from '../review/settings';
import { backendReviews, leaked, ownReviews, type ReviewStack } from '../review/stacks';
import { runCommand } from '../run-command';
import { holdStack } from '../run-lock';
import { stackFolder } from '../stack-folder';
import { messageOf, UserError } from '../user-error';
import { chooseWorkbench, openWorkbench } from '../workbench';
import { down } from './down';
import { update } from './up';

/** The registry's password, for a base that says `images.username`. */
const REGISTRY_PASSWORD = 'BERTH_REVIEW_REGISTRY_PASSWORD';

export interface ReviewOptions extends CommonOptions {
  readonly pr: string;
  readonly base: string;
  readonly kubeconfig?: string;
}

/** `npm run review -- up`: brings the review of a pull request up, or to its newest commit. */
export async function reviewUp(context: CommandContext, options: ReviewOptions): Promise<number> {
  const review = reviewFrom(options);
  const at = contextOf(context, reviewStack(review));
  const { folder, progress, signal, print } = at;
  const read = (stack: string) => stackFileValues(context.projectDir, stack);
  const made = reviewSettings(review, read, options.kubeconfig !== undefined);
  const secrets = secretsOf(made, options, context.env);
  const release = holdStack(folder, 'review up');
  try {
    const bench = await progress.phase('Lab', (phase) => openWorkbench(folder, at.env, phase));
    signal.throwIfAborted();
    if (made.isAlone) requireAlone(review, await reviewsOf(context));
    const change = await progress.phase(`Review ${folder.stack}`, (phase) =>
      update(at, bench, phase, options, { settings: made.settings, secrets }),
    );
    print(change);
    print(`stack ${folder.stack} is up: npm run review -- down --pr ${review.pullRequest}`);
    return 0;
  } finally {
    release();
  }
}

/** `npm run review -- down`: takes the review of a pull request down, and its stack away. */
export async function reviewDown(context: CommandContext, options: ReviewOptions): Promise<number> {
  const stack = reviewStack(reviewFrom(options));
  const there = await reviewsOf(context);
  if (!there.some((one) => one.stack === stack)) {
    context.print(`stack ${stack} is not there: nothing to do`);
    return 0;
  }
  return takeDown(context, stack, options);
}

/** `npm run review -- list`: the reviews that are there. */
export async function reviewList(
  context: CommandContext,
  { json }: CommonOptions,
): Promise<number> {
  const reviews = await reviewsOf(context);
  if (json) context.print(JSON.stringify(reviews, null, 2));
  else if (reviews.length === 0) context.print('no reviews');
  else
    for (const { stack, pullRequest, lastUpdate = 'unknown' } of reviews)
      context.print(`${stack}: pull request ${pullRequest}, last update ${lastUpdate}`);
  return 0;
}

export interface ReviewCleanOptions extends CommonOptions {
  /** Numbers of the pull requests that are open. */
  readonly open?: readonly string[];
  /** No pull request is open. */
  readonly all?: boolean;
}

/** `npm run review -- clean`: takes down the reviews whose pull requests are open no more. */
export async function reviewClean(
  context: CommandContext,
  options: ReviewCleanOptions,
): Promise<number> {
  const { open, all = false } = options;
  if ((open !== undefined) === all)
    throw new UserError('either --open with the open pull requests, or --all');
  const wrong = (open ?? []).find((number) => !/^[1-9]\d*$/.test(number));
  if (wrong !== undefined) throw new UserError(`--open ${wrong}: must be numbers`);
  const gone = leaked(await reviewsOf(context), (open ?? []).map(Number));
  if (gone.length === 0) context.print('no review has to go');
  const failed: string[] = [];
  for (const { stack } of gone) {
    context.signal.throwIfAborted();
    // One that cannot be taken down must not keep the others.
    await takeDown(context, stack, options).catch((error: unknown) => {
      failed.push(stack);
      context.warn(`error: ${stack}: ${messageOf(error)}`);
    });
  }
  return failed.length > 0 ? 1 : 0;
}

const takeDown = (context: CommandContext, stack: string, options: CommonOptions) =>
  down(contextOf(context, stack), { ...options, stack }, { config: {} });

const contextOf = (context: CommandContext, stack: string): CommandContext => ({
  ...context,
  folder: stackFolder(context.projectDir, stack),
});

const reviewFrom = ({ pr, base }: ReviewOptions): Review => ({ pullRequest: Number(pr), base });

/** The reviews that are there: in the user's backend, or beside this checkout. A stack with a file of its own is none. */
async function reviewsOf({ projectDir, folder, env, progress }: CommandContext) {
  const isRemote = chooseWorkbench(env) === 'own' && Boolean(env.PULUMI_BACKEND_URL);
  const reviews = isRemote
    ? await backendReviews(
        projectDir,
        await progress.phase('Lab', (phase) => openWorkbench(folder, env, phase)),
        runCommand,
      )
    : ownReviews(projectDir);
  return reviews.filter(({ stack }) => !existsSync(join(projectDir, `Pulumi.${stack}.yaml`)));
}

function requireAlone(review: Review, there: readonly ReviewStack[]): void {
  const other = there.find(
    ({ base, pullRequest }) => base === review.base && pullRequest !== review.pullRequest,
  );
  if (other !== undefined)
    throw new UserError(
      `the cluster for reviews of ${review.base} is taken by ${other.stack}: npm run review -- down --pr ${other.pullRequest} --base ${review.base}`,
    );
}

/** The secrets that a review is given from outside: none is its base's. */
function secretsOf(
  { secrets }: ReviewSettings,
  { kubeconfig }: ReviewOptions,
  env: NodeJS.ProcessEnv,
): Readonly<Record<string, string>> {
  const given = {
    kubeconfig: () => readFileSync(kubeconfig ?? '', 'utf8'),
    registryPassword: () => {
      const password = env[REGISTRY_PASSWORD];
      if (!password)
        throw new UserError(`${REGISTRY_PASSWORD} must be set: the base has images.username`);
      return password;
    },
  };
  return Object.fromEntries(secrets.map((key) => [`berth:${key}`, given[key]()]));
}
