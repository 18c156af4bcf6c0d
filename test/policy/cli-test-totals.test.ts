import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  addTotals,
  allWell,
  failed,
  failureLines,
  firstLine,
  noTests,
  totalsLine,
  totalsOfProcess,
} from '../../runtime/cli/test-totals';

const root = path.join(__dirname, '..', '..');

describe('totals of a test run', () => {
  it('ends with one plain line', () => {
    assert.equal(totalsLine({ ...noTests, passed: 3, failed: 1 }), '3 passed, 1 failed');
    assert.equal(
      totalsLine({ ...noTests, passed: 3, skipped: 2 }),
      '3 passed, 0 failed, 2 skipped',
    );
  });

  it('adds the layers up', () => {
    const one = { title: 'a', error: 'E' };
    const two = { title: 'b', error: 'F' };
    const sum = addTotals(
      { passed: 1, failed: 1, skipped: 3, failures: [one] },
      { passed: 10, failed: 1, skipped: 30, failures: [two] },
    );
    assert.deepEqual(sum, { passed: 11, failed: 2, skipped: 33, failures: [one, two] });
  });

  it('counts a process that died without a report as a failure, and names its layer', () => {
    assert.deepEqual(totalsOfProcess('wire', '', 7), {
      ...noTests,
      failed: 1,
      failures: [
        { title: 'wire: all tests', error: 'it ended with exit code 7 and named no failed test' },
      ],
    });
    const written = `${JSON.stringify({ ...noTests, passed: 4 })}\n`;
    const killed = totalsOfProcess('wire', written, null);
    assert.equal(totalsLine(killed), '4 passed, 1 failed');
    assert.match(killed.failures[0]?.error ?? '', /signal/);
  });

  it('tells what ended a process that named no failed test, and keeps what it had reported', () => {
    const lines = [
      { ...noTests, passed: 1 },
      { escaped: { during: 'first', error: 'Error: one' } },
      { ...noTests, skipped: 1 },
      { escaped: { during: 'second', error: 'Error: two\n    at somewhere' } },
    ];
    const written = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    const totals = totalsOfProcess('wire', written, 7);
    assert.equal(totalsLine(totals), '1 passed, 1 failed, 1 skipped');
    assert.equal(
      totals.failures[0]?.error,
      'it ended with exit code 7 and named no failed test; during "second" this escaped: Error: two\n    at somewhere',
    );
    assert.equal(totalsOfProcess('wire', written, 0).failed, 0);
  });

  it('does not count a reported failure twice', () => {
    const failures = [{ title: 'a does b', error: 'Error: c' }];
    const written = `${JSON.stringify({ passed: 4, failed: 1, skipped: 0, failures })}\n`;
    const totals = totalsOfProcess('wire', written, 1);
    assert.equal(totals.failed, 1);
    assert.deepEqual(totals.failures, [{ title: 'wire: a does b', error: 'Error: c' }]);
  });

  it('calls a run good only if something ran and nothing failed', () => {
    assert.equal(allWell({ ...noTests, skipped: 5 }), false);
    assert.equal(allWell({ ...noTests, passed: 1 }), true);
    assert.equal(allWell({ ...noTests, passed: 1, failed: 1 }), false);
  });
});

describe('what failed in a test run', () => {
  it('is listed with its layer, its full title and the first line of its error', () => {
    const totals = addTotals(failed('wire: a does b', new TypeError('one\ntwo')), failed('c', 'd'));
    assert.deepEqual(failureLines(totals), [
      '',
      '== failed',
      '✖ wire: a does b',
      '    TypeError: one',
      '✖ c',
      '    d',
      '',
    ]);
  });

  it('is not mentioned when nothing did', () => {
    assert.deepEqual(failureLines({ ...noTests, passed: 4 }), []);
  });

  it('is told by a line that says something, whatever was thrown', () => {
    assert.equal(firstLine(new Error('\n  first\nsecond')), 'Error: first');
    assert.equal(firstLine('\ntext'), 'text');
    assert.equal(firstLine(undefined), 'undefined');
    assert.equal(firstLine(''), 'no message');
    const odd = Object.assign(new Error(), { message: { code: 3 } as unknown as string });
    assert.equal(firstLine(odd), 'Error: [object Object]');
  });

  it('is written by the reporter for tests and for hooks', function () {
    this.timeout(180_000);
    const folder = mkdtempSync(path.join(tmpdir(), 'berth-reporter-'));
    try {
      const file = path.join(folder, 'a.test.ts');
      writeFileSync(
        file,
        `describe('outer', () => {
           it('passes', () => {});
           describe('inner', () => {
             it('fails', () => { throw new Error('no\\nmore'); });
           });
           describe('hooked', () => {
             before(() => { throw new Error('not ready'); });
             it('never runs', () => {});
           });
         });`,
      );
      const written = path.join(folder, 'totals');
      const mocha = path.join(root, 'node_modules', 'mocha', 'bin', 'mocha.js');
      const { status } = spawnSync(process.execPath, [mocha, file], {
        cwd: root,
        env: { ...process.env, BERTH_TEST_TOTALS: written },
      });
      assert.equal(status, 2);
      assert.deepEqual(totalsOfProcess('wire', readFileSync(written, 'utf8'), status), {
        passed: 1,
        failed: 2,
        skipped: 0,
        failures: [
          { title: 'wire: outer inner fails', error: 'Error: no' },
          {
            title: 'wire: outer hooked "before all" hook for "never runs"',
            error: 'Error: not ready',
          },
        ],
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
