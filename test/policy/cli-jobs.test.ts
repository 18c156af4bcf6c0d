import assert from 'node:assert/strict';
import { explainJob } from '../../runtime/cli/explain-job';
import { KubeError, UnreachableError, type Kube } from '../../runtime/cli/kube';
import { plainProgress } from '../../runtime/cli/progress-plain';
import { watchJobs } from '../../runtime/cli/watch-jobs';

const job = (name: string, condition?: string) => ({
  metadata: { name, uid: name },
  status: { conditions: condition ? [{ type: condition, status: 'True' }] : [] },
});

const pod = (of: string, phase: string) => ({
  metadata: { name: `${of}-x`, ownerReferences: [{ uid: of }] },
  spec: { nodeName: 'node-1' },
  status: { phase },
});

/** An API server that answers with one state of the jobs after the other, and then with the last for ever. */
function kubeOf(states: readonly (object[] | Error)[]): Kube {
  let asked = 0;
  return {
    server: 'https://test',
    text: () => assert.fail('no text is read here'),
    json: <T>(path: string) => {
      const state = states[Math.min(asked, states.length - 1)] ?? [];
      const isLast = path.includes('/pods');
      if (isLast) asked += 1;
      if (state instanceof Error) return Promise.reject(state);
      const items = isLast ? [pod('posture-pi1', 'Running')] : state;
      return Promise.resolve({ items } as T);
    },
  };
}

/** Watches with plain progress, whose lines come back with the result. */
async function watch(
  states: readonly (object[] | Error)[],
  limitMs = 10_000,
  signal?: AbortSignal,
) {
  const lines: string[] = [];
  const result = await plainProgress((line) => lines.push(line)).phase('Jobs', (phase) =>
    watchJobs(kubeOf(states), ['posture-pi1'], {
      phase,
      signal: signal ?? new AbortController().signal,
      limitMs,
      pollMs: 1,
    }),
  );
  return { result, text: lines.join('\n') };
}

describe('waiting for jobs', () => {
  it('ends when all have ended, also those that failed', async () => {
    const complete = await watch([[], [job('posture-pi1')], [job('posture-pi1', 'Complete')]]);
    assert.match(complete.text, /✔ posture-pi1 .* on node-1/);
    assert.match(complete.text, /1 of 1 ended/);
    const failed = await watch([[job('posture-pi1')], [job('posture-pi1', 'Failed')]]);
    assert.match(failed.text, /✖ posture-pi1 .*failed on node-1/);
  });

  it('says nothing of a job that had ended before', async () => {
    const { text } = await watch([[job('posture-pi1', 'Complete')]]);
    assert.doesNotMatch(text, /posture-pi1/);
  });

  it('ends at its limit with what there is', async () => {
    const { result } = await watch([[job('posture-pi1')]], 20);
    assert.equal(result.jobs.length, 1);
  });

  it('bears with an API server that is away for a moment, and not with a refusal', async () => {
    const away = new UnreachableError('https://test', new Error('refused'));
    const { result } = await watch([away, [job('posture-pi1', 'Complete')]]);
    assert.equal(result.jobs.length, 1);
    await assert.rejects(watch([new KubeError(403, 'forbidden')]), /forbidden/);
  });

  it('ends at once when the user stops it', async () => {
    await assert.rejects(watch([[job('posture-pi1')]], 10_000, AbortSignal.abort()));
  });
});

describe('why a job is not complete', () => {
  it('is told by its conditions, its pod and the last of its log', () => {
    const failedJob = {
      status: {
        conditions: [
          { type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded', message: 'too often' },
        ],
      },
    } as never;
    const failedPod = {
      metadata: { name: 'posture-pi1-x' },
      spec: { nodeName: 'node-2' },
      status: {
        containerStatuses: [
          { name: 'analyzer', state: { terminated: { exitCode: 1, reason: 'Error' } } },
        ],
      },
    } as never;
    assert.deepEqual(explainJob('posture-pi1', failedJob, failedPod, 'one\ntwo\n'), [
      'posture-pi1 (pod posture-pi1-x on node-2):',
      '  BackoffLimitExceeded: too often',
      '  analyzer: Error (code 1)',
      '  | one',
      '  | two',
    ]);
  });

  it('is told for a pod that waits for a node or an image, and for what is not there', () => {
    const waiting = {
      metadata: { name: 'p' },
      status: {
        conditions: [
          { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes' },
        ],
        initContainerStatuses: [
          { name: 'own-output', state: { waiting: { reason: 'ImagePullBackOff' } } },
        ],
      },
    } as never;
    assert.deepEqual(explainJob('j', {} as never, waiting, ''), [
      'j:',
      '  Unschedulable: 0/3 nodes',
      '  own-output: ImagePullBackOff',
    ]);
    assert.deepEqual(explainJob('j', {} as never, undefined, ''), ['j:', '  it has no pod']);
    assert.deepEqual(explainJob('j', undefined, undefined, ''), [
      'j:',
      '  there is no such job in the cluster',
    ]);
  });
});
