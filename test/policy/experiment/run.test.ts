import assert from 'node:assert/strict';
import { buildReport } from '../../../runtime/experiment-report/report';
import { planRounds } from '../../../runtime/experiment/policy/plan';
import { runExperiment } from '../../../runtime/experiment/run';
import { FakeEstate, SleepClock } from './fakes';

const plan = planRounds(['default-scheduler', 'cpu-scheduler'], 2, 1);

function experiment(estate: FakeEstate, signal = new AbortController().signal) {
  const kept = new Map<string, string>();
  const clock = new SleepClock();
  const ended = runExperiment(
    estate.ports,
    {
      plan,
      services: ['wl-service', 'wl-service2'],
      settleMs: 30_000,
      keep: async ({ file }, text) => void kept.set(file, text),
      show: (_round, run) => run(() => undefined),
    },
    clock,
    signal,
  );
  return { ended, kept };
}

describe('an experiment', function () {
  this.timeout(120_000);

  it('runs each round by its scheduler, from no pods at all, with the same load on each service', async () => {
    const estate = new FakeEstate();
    const { ended, kept } = experiment(estate);
    assert.equal(await ended, 4);
    const round = (scheduler: string) => [
      ...['park', 'watch', `start ${scheduler}`, 'load wl-service', 'load wl-service2', 'unwatch'],
    ];
    assert.deepEqual(estate.done, [
      // First what an experiment that was killed has left.
      ...['clear', 'restore', 'remember'],
      ...plan.flatMap(({ scheduler }) => round(scheduler)),
      ...['clear', 'restore'],
    ]);
    assert.deepEqual(
      [...kept.keys()],
      plan.map(({ file }) => file),
    );
  });

  it('keeps raw files that the report is made of, and nothing is lost on the way', async () => {
    const { ended, kept } = experiment(new FakeEstate());
    await ended;
    const files = [...kept].map(([name, text]) => ({ name: `raw/${name}`, text }));
    const figures = buildReport(files).get('figures.csv') ?? '';
    // Two services, one request of each answered and one dropped.
    const rows = figures.trim().split('\n').slice(1);
    assert.equal(rows.length, 4);
    for (const row of rows) assert.match(row, /,4,50,5,/);
  });

  it('puts the workloads back after a round that failed, ends the other load, and says why', async () => {
    const estate = new FakeEstate();
    let other: AbortSignal | undefined;
    estate.onLoad = async (service, signal) => {
      if (service === 'wl-service2') throw new Error('no pod for it');
      other = signal;
      await new Promise<void>((resolve) =>
        signal.addEventListener('abort', () => resolve(), { once: true }),
      );
    };
    const { ended, kept } = experiment(estate);
    await assert.rejects(ended, /no pod for it/);
    assert.equal(other?.aborted, true);
    assert.deepEqual(estate.done.slice(-3), ['unwatch', 'clear', 'restore']);
    assert.equal(kept.size, 0);
  });

  it('puts the workloads back when it is stopped in a load, and keeps the rounds that ended', async () => {
    const estate = new FakeEstate();
    const stop = new AbortController();
    let loads = 0;
    estate.onLoad = async () => {
      loads += 1;
      // The first load of the second round.
      if (loads === 3) stop.abort();
    };
    const { ended, kept } = experiment(estate, stop.signal);
    assert.equal(await ended, 1);
    assert.deepEqual(estate.done.slice(-2), ['clear', 'restore']);
    assert.deepEqual([...kept.keys()], [plan[0]?.file]);
  });

  it('puts nothing back that it could not remember', async () => {
    const estate = new FakeEstate();
    estate.ports.workloads.remember = async () => {
      throw new Error('no such Deployment');
    };
    await assert.rejects(experiment(estate).ended, /no such Deployment/);
    assert.deepEqual(estate.done, ['clear', 'restore']);
  });
});
