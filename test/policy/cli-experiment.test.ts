import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readFlags, requireEstate, ResultsFolder } from '../../runtime/cli/experiment';
import { stackFolder } from '../../runtime/cli/stack-folder';
import { UserError } from '../../runtime/cli/user-error';
import { planRounds } from '../../runtime/experiment/policy/plan';

describe('npm run experiment', function () {
  this.timeout(120_000);
  let project: string;
  before(async () => {
    project = await mkdtemp(join(tmpdir(), 'berth-experiment-'));
  });
  after(() => rm(project, { recursive: true, force: true }));

  it('compares all schedulers, three rounds each, unless it is told otherwise', () => {
    const { schedulers, rounds, seed, settleSeconds } = readFlags({});
    assert.deepEqual(schedulers, [
      ...['default-scheduler', 'cpu-scheduler', 'latency-aware-scheduler'],
    ]);
    assert.deepEqual([rounds, seed, settleSeconds], [3, 1, 30]);
    assert.deepEqual(readFlags({ schedulers: 'cpu-scheduler, default' }).schedulers, [
      ...['cpu-scheduler', 'default-scheduler'],
    ]);
  });

  it('says everything that is wrong with its flags at once', () => {
    const flags = { schedulers: 'volcano,default,default-scheduler', rounds: '0', load: 'qps=0' };
    assert.throws(
      () => readFlags(flags),
      (error: Error) => {
        assert.ok(error instanceof UserError);
        assert.deepEqual(error.message.split('\n'), [
          '--load qps "0": must be from 0.01 to 10000',
          '--schedulers "volcano": known are default, default-scheduler, cpu-scheduler, latency-aware-scheduler',
          '--schedulers default-scheduler: is given twice',
          '--rounds "0": must be a whole number in 1..100',
        ]);
        return true;
      },
    );
  });

  it('refuses flags of rounds beside the one that makes none', () => {
    assert.throws(
      () => readFlags({ restore: true, rounds: '2', out: 'x' }),
      /--restore: makes no rounds, so it does not go with --rounds, --out/,
    );
    assert.equal(readFlags({ restore: true }).rounds, 3);
  });

  it('says what brings up an estate that is not up', () => {
    const folder = stackFolder(project, 'other');
    assert.throws(() => requireEstate(folder, {}, []), /stack other is not up: npm run up/);
  });

  it('says which systems are off, and which scheduler needs them', async () => {
    const folder = stackFolder(project, 'dev');
    mkdirSync(dirname(folder.kubeconfig), { recursive: true });
    await writeFile(folder.kubeconfig, '');
    const all = readFlags({}).schedulers;
    const ask = (systems: string[]) => () => requireEstate(folder, { systems }, all);
    assert.throws(ask(['cpuScheduling']), (error: Error) => {
      const [first, second, ...more] = error.message.split('\n');
      assert.match(first ?? '', /^system experiment is off in stack dev, and this command needs/);
      assert.match(
        second ?? '',
        /^system latencyScheduling is off .* latency-aware-scheduler needs/,
      );
      assert.deepEqual(more, []);
      return true;
    });
    ask(['cpuScheduling', 'experiment', 'latencyScheduling'])();
    requireEstate(folder, { systems: ['experiment'] }, ['default-scheduler']);
  });

  it('writes down what it is about to do, and never mixes two experiments', async () => {
    const folder = new ResultsFolder(join(project, 'results'));
    const choice = readFlags({ seed: '7' });
    const plan = planRounds(choice.schedulers, choice.rounds, choice.seed);
    await folder.begin(choice, plan);
    const begun = JSON.parse(await readFile(join(folder.path, 'experiment.json'), 'utf8')) as {
      seed: number;
      loadText: string;
      plan: unknown[];
    };
    assert.deepEqual([begun.seed, begun.loadText, begun.plan], [7, choice.loadText, plan]);
    await assert.rejects(folder.begin(choice, plan), /has results already/);
  });
});
