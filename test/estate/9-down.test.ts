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
      // The kernel takes away what a process had only some time after the process is gone.
      let left: unknown;
      await waitUntil(
        'nothing to be left on this machine',
        async () => {
          const made = added(before, await machineState());
          const processes = await processesOf(checkout.directory);
          left = { ...made, processes };
          return Object.keys(made).length === 0 && processes.length === 0;
        },
        { seen: () => left },
      );
      for (const name of ['kubeconfig', 'state', 'passphrase', 'project'])
        assert.ok(!existsSync(join(checkout.directory, '.berth', 'dev', name)), name);
      for (const name of ['lab', 'build'])
        assert.ok(!existsSync(join(checkout.directory, '.berth', name)), name);
    } finally {
      await checkout.npm('down');
    }
    await checkout.remove();
  });
});
