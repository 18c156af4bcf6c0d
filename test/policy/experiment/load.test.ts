import assert from 'node:assert/strict';
import { DEFAULT_LOAD, loadArgs, parseLoad } from '../../../runtime/experiment/policy/load';
import { OptionsError } from '../../../runtime/load-generator/options';

const problemsOf = (text: string): readonly string[] => {
  try {
    parseLoad(text);
  } catch (error) {
    assert.ok(error instanceof OptionsError);
    return error.problems;
  }
  return [];
};

describe('the load of an experiment', () => {
  it('becomes the flags of a load generator that writes everything into its log', () => {
    assert.deepEqual(loadArgs(parseLoad('qps=5, duration=9.5,prime=100'), 'wl-service', 6060), [
      ...['--ip', 'wl-service', '--port', '6060'],
      ...['--qps', '5', '--duration', '9.5', '--prime', '100'],
      ...['--jsonl', '-', '--json', '-'],
    ]);
  });

  it('is by default that of the example', () => {
    const { qps, durationSeconds } = parseLoad(DEFAULT_LOAD).options;
    assert.deepEqual([qps, durationSeconds], [20, 120]);
  });

  it('is what the load generator does by itself where nothing is said', () => {
    assert.deepEqual(parseLoad('').args, []);
    assert.equal(parseLoad('').options.qps, 20);
  });

  it('is refused with everything that is wrong about it', () => {
    const known = 'qps, concurrency, duration, prime, bloat, sleep, timeout, max-waiting';
    assert.deepEqual(problemsOf('ip=10.0.0.1,qps=fast,bloat,sleep=1,sleep=2'), [
      `--load ip=10.0.0.1: known are ${known}, each as NAME=VALUE`,
      '--load bloat: needs a value, as bloat=VALUE',
      '--load sleep: is given twice',
      '--load qps "fast": must be a number from 0.01 to 10000',
    ]);
  });
});
