import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { added, machineState, processesOf } from './support/machine';
import { changeScaledJobs, SCALED_JOBS } from './support/scaled-jobs';
import { estate, estateCluster } from './support/session';
import { waitUntil } from './support/wait-until';

describe('npm run down', function () {
  this.timeout(3_600_000);

  it('leaves no container, network, volume, mount, cgroup, process or file behind, while queued analyzers run', async () => {
    const { checkout, before } = await estate();
    try {
      const cluster = await estateCluster();
      await changeScaledJobs(cluster, SCALED_JOBS);
      await waitUntil(
        'a queued analyzer to run',
        async () =>
          (await cluster.pods('posture', 'scaledjob.keda.sh/name')).some(
            ({ status }) => status?.phase === 'Running',
          ),
        { limitMs: 900_000 },
      );
      await checkout.npm('down');
      assert.deepEqual(added(before, await machineState()), {});
      assert.deepEqual(await processesOf(checkout.directory), []);
      for (const left of ['kubeconfig', 'state', 'passphrase', 'project'])
        assert.ok(!existsSync(join(checkout.directory, '.berth', 'dev', left)), left);
      for (const left of ['lab', 'build'])
        assert.ok(!existsSync(join(checkout.directory, '.berth', left)), left);
    } finally {
      await checkout.npm('down');
    }
    await checkout.remove();
  });
});
