import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { added, machineState, processesOf } from './support/machine';
import { estate } from './support/session';

describe('npm run down', function () {
  this.timeout(3_600_000);

  it('leaves no container, network, volume, mount, cgroup, process or file behind', async () => {
    const { checkout, before } = await estate();
    try {
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
