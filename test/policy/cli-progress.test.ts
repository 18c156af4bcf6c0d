import assert from 'node:assert/strict';
import { formatDuration } from '../../runtime/cli/duration';
import { reporterOf } from '../../runtime/cli/progress';
import { plainProgress } from '../../runtime/cli/progress-plain';

/** Durations differ from run to run. */
const timeless = (lines: readonly string[]) => lines.map((line) => line.replace(/\d+\.\d s/, 'T'));

describe('progress', () => {
  it('writes durations as people read them', () => {
    assert.deepEqual([0, 449, 9_940, 59_400, 59_600, 185_000].map(formatDuration), [
      '0.0 s',
      '0.4 s',
      '9.9 s',
      '59 s',
      '1 min 00 s',
      '3 min 05 s',
    ]);
  });

  it('writes a phase as plain lines: its start, each item that ended, its end', async () => {
    const lines: string[] = [];
    const result = await plainProgress((line) => lines.push(line)).phase(
      'Cluster',
      async (phase) => {
        const item = phase.begin('create node-1');
        item.detail('waiting');
        item.done('ready');
        item.failed('not twice');
        phase.line('a remark');
        return 42;
      },
    );
    assert.equal(result, 42);
    assert.deepEqual(timeless(lines), [
      'Cluster',
      '  ✔ create node-1 T: ready',
      '  a remark',
      '✔ Cluster: T',
    ]);
  });

  it('says that a phase failed, and passes the error on', async () => {
    const lines: string[] = [];
    const progress = plainProgress((line) => lines.push(line));
    await assert.rejects(
      progress.phase('Lab', (phase) =>
        reporterOf(phase).step('kubelet', () => Promise.reject(new Error('no space'))),
      ),
      /no space/,
    );
    assert.deepEqual(timeless(lines), ['Lab', '  ✖ kubelet T', '✖ Lab: failed after T']);
  });

  it('says the same summary once', async () => {
    const lines: string[] = [];
    await plainProgress((line) => lines.push(line)).phase('Jobs', (phase) => {
      for (const text of ['1 of 2', '1 of 2', '2 of 2']) phase.summary(text);
      return Promise.resolve();
    });
    assert.deepEqual(timeless(lines), ['Jobs', '  1 of 2', '  2 of 2', '✔ Jobs: T']);
  });
});
