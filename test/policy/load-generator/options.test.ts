import assert from 'node:assert/strict';
import { OptionsError, parseOptions, withQuery } from '../../../runtime/load-generator/options';

const good = { ip: '10.0.0.1', port: '6060' };
const problemsOf = (values: Record<string, string | boolean>, rest: string[] = []) => {
  try {
    parseOptions({ values, rest });
  } catch (error) {
    assert.ok(error instanceof OptionsError);
    return error.problems;
  }
  return [];
};

describe('load generator options', () => {
  it('have the meaning of their names', () => {
    const values = {
      ...good,
      qps: '2.5',
      concurrency: '7',
      duration: '9',
      prime: '100000',
      bloat: '5',
      sleep: '500',
    };
    assert.deepEqual(parseOptions({ values, rest: [] }), {
      ip: '10.0.0.1',
      port: 6060,
      qps: 2.5,
      concurrency: 7,
      durationSeconds: 9,
      path: '/?sleep=500&prime=100000&bloat=5',
      timeoutMs: 30_000,
      maxWaiting: 1000,
      keepAlive: false,
    });
  });

  it('need a service, and have defaults for the rest', () => {
    assert.deepEqual(problemsOf({}), ['--ip: is required', '--port: is required']);
    const { qps, concurrency, durationSeconds, path } = parseOptions({ values: good, rest: [] });
    assert.deepEqual([qps, concurrency, durationSeconds, path], [20, 20, 120, '/']);
  });

  const bad: [string, string][] = [
    ['ip', 'a b'],
    ['port', '0'],
    ['port', '65536'],
    ['qps', '0'],
    ['qps', 'NaN'],
    ['qps', ''],
    ['concurrency', '1.5'],
    ['duration', '-1'],
    ['prime', '1e10'],
    ['sleep', 'long'],
    ['timeout', '0'],
    ['path', 'no-slash'],
  ];
  for (const [flag, value] of bad)
    it(`refuse --${flag} ${JSON.stringify(value)}`, () => {
      const [problem = '', ...more] = problemsOf({ ...good, [flag]: value });
      assert.ok(problem.startsWith(`--${flag} ${JSON.stringify(value)}: must be`), problem);
      assert.deepEqual(more, []);
    });

  it('report everything at once', () => {
    const problems = problemsOf({ qps: 'x', concurrency: true }, ['--foo', 'bar']);
    assert.deepEqual(
      problems.map((problem) => problem.split(':')[0]),
      ['--foo', 'bar', '--ip', '--port', '--qps "x"', '--concurrency'],
    );
  });

  it('add their parameters to a path of another service', () => {
    assert.equal(withQuery('/hello', { sleep: 0, prime: 0 }), '/hello');
    assert.equal(withQuery('/hello?a=1', { sleep: 5, prime: 0 }), '/hello?a=1&sleep=5');
  });
});
