import fc from 'fast-check';

/**
 * Every property sees the same values in every run, so that a failure is the change's and not chance's.
 * `BERTH_SEED=random` takes others, `BERTH_SEED=N` those of a run that failed; what a test sets itself wins.
 */
const wish = process.env.BERTH_SEED ?? '42';
if (wish !== 'random') {
  const seed = Number(wish);
  if (!Number.isInteger(seed))
    throw new Error(`BERTH_SEED ${wish}: must be an integer or "random"`);
  fc.configureGlobal({ ...fc.readConfigureGlobal(), seed });
}
