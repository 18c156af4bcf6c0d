import assert from 'node:assert/strict';
import { chmod, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as pulumi from '@pulumi/pulumi';
import { parseEstateConfig } from '../../components/config';
import { autoscaledWorkers } from '../../components/hosts/autoscaled-workers';
import { connectDocker } from '../../runtime/autoscaler/adapters/docker-connection';
import { DockerContainers } from '../../runtime/autoscaler/adapters/docker-containers';
import { CommandError, run } from '../lab/exec';
import { mouldOf } from '../policy/autoscaler/worker-mould';
import { Stack } from '../program/support/pods';
import { only, record } from '../program/support/record';
import { startLabEngine, type LabEngine } from './support/lab-engine';
import { temporaryFolder } from './support/service-process';

const IMAGE = 'berth.test/shell:1';
const SERVER = 'quay-server';
const WORKER = 'k3s-worker-3';
const LOOP = ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 1; done'];
/** Notes how it is called; refuses to drain while it is told to. */
const KUBECTL = `#!/bin/sh
echo "$*" >> /calls
if [ "$1" = drain ] && [ -e /refuse ]; then exit 1; fi
`;

describe('what takes the workers away with the autoscaling system, on a real Docker engine', function () {
  this.timeout(1_800_000);
  let lab: LabEngine;
  let folder: string | undefined;
  let script: string;
  const mould = mouldOf({
    ...{ image: IMAGE, command: LOOP, memoryMb: 64, stopSeconds: 1, mounts: [], files: {} },
    ...{ capabilities: ['NET_ADMIN'] },
  });

  before(async function () {
    this.timeout(3_600_000);
    lab = await startLabEngine();
    await lab.importShellImage(IMAGE);
    await lab.docker('network', 'create', 'quay');
    const { cluster } = parseEstateConfig({
      values: { cluster: { docker: { name: 'quay', host: lab.ctx.dockerHost } } },
      keys: [],
      secrets: new Set(['clusterToken']),
    });
    const { declared } = await record(() => {
      const server = new Stack();
      const token = pulumi.secret('token');
      const network = pulumi.output('quay');
      const hosts = { config: cluster.docker, token, network, serverContainer: SERVER, server };
      autoscaledWorkers('workers', hosts, { parent: server });
    });
    script = String(only(declared, 'command:local:Command', 'workers').inputs.delete);
    folder = await temporaryFolder('kubectl');
    await writeFile(path.join(folder, 'kubectl'), KUBECTL);
    await chmod(path.join(folder, 'kubectl'), 0o755);
  });
  after(async () => {
    await lab?.stop();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  beforeEach(async () => {
    const left = (await lab.docker('ps', '-aq')).split('\n').filter(Boolean);
    if (left.length > 0) await lab.docker('rm', '-f', '-v', ...left);
    await lab.docker('run', '-d', '--name', SERVER, IMAGE, ...LOOP);
    await lab.docker('cp', path.join(folder ?? '', 'kubectl'), `${SERVER}:/bin/kubectl`);
    const docker = connectDocker({ url: lab.ctx.dockerHost, token: '' });
    await new DockerContainers(docker, mould, 300_000).create(WORKER, 'op');
    const template = { ...mould.template, estate: 'pier' };
    await new DockerContainers(docker, { ...mould, template }, 300_000).create(
      'k3s-worker-9',
      'op',
    );
  });

  const take = () => run('sh', ['-c', script], { env: { ...lab.env }, timeoutMs: 300_000 });
  const names = async (): Promise<string[]> =>
    (await lab.docker('ps', '-a', '--format', '{{.Names}}')).split('\n').sort();
  const calls = () => lab.docker('exec', SERVER, 'cat', '/calls');

  it('drains, removes and forgets its own workers, and can be repeated', async () => {
    await take();
    await take();
    assert.deepEqual(await names(), ['k3s-worker-9', SERVER]);
    const seen = (await calls()).split('\n').map((call) => call.replace(/ --.*/, ''));
    assert.deepEqual(seen, [
      `get node ${WORKER}`,
      `drain ${WORKER}`,
      `delete node ${WORKER}`,
      `-n kube-system delete secret ${WORKER}.node-password.k3s`,
    ]);
    const { length } = (await lab.docker('volume', 'ls', '-q')).split('\n');
    assert.equal(length, mould.template.container.volumePaths.length);
  });

  it('leaves a worker that cannot be drained, uncordoned, and fails', async () => {
    await lab.docker('exec', SERVER, 'sh', '-c', 'echo > /refuse');
    await assert.rejects(take(), (error: Error) => {
      assert.ok(error instanceof CommandError);
      assert.match(error.output.stderr, /k3s-worker-3 was not drained within 120 s/);
      return true;
    });
    assert.ok((await names()).includes(WORKER));
    assert.match(await calls(), new RegExp(`uncordon ${WORKER}`));
  });

  it('removes the containers where the server has gone', async () => {
    await lab.docker('rm', '-f', SERVER);
    await take();
    assert.deepEqual(await names(), ['k3s-worker-9']);
  });
});
