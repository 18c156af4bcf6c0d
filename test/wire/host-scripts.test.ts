import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  copyServerScript,
  replaceServerScript,
} from '../../components/hosts/ssh/datastore-scripts';
import { installScript, type InstallSettings } from '../../components/hosts/ssh/install-script';
import * as node from '../../components/hosts/ssh/node-scripts';
import { asRoot, quoted } from '../../components/hosts/ssh/shell';
import { uninstallScript } from '../../components/hosts/ssh/uninstall-script';
import { run } from '../lab/exec';
import { ensureShellcheck, type Program } from './support/debian-server';

const SUM = 'ab'.repeat(32);
const checked = (from: string) => ({ from, sha256: SUM, sha256Key: 'berth:cluster.ssh.sha256' });
const settings: InstallSettings = {
  ...{ role: 'agent', arch: 'amd64', version: 'v1.36.3+k3s1', readyTimeoutSeconds: 60 },
  ...{ binary: checked('https://m.example.org/k3s'), config: { server: 'x' }, registries: {} },
};
const settingsOfNode = {
  ...{ node: 'board-1', version: 'v1.36.3+k3s1' },
  ...{ readyTimeoutSeconds: 60, drainTimeoutSeconds: 30 },
};
const SCRIPTS: Readonly<Record<string, string>> = {
  'install an agent': installScript(settings),
  'install a server': installScript({ ...settings, role: 'server', registries: { mirrors: {} } }),
  'install without a network': installScript({
    ...{ ...settings, binary: checked('/media/k3s'), images: checked('/media/images.tar.zst') },
  }),
  'uninstall an agent': uninstallScript({ role: 'agent' }),
  'uninstall a server': uninstallScript({ role: 'server', node: 'quay', readyTimeoutSeconds: 60 }),
  'prepare a node': node.beforeInstallScript(settingsOfNode),
  'await a node': node.afterInstallScript(settingsOfNode),
  'drain a node': node.drainScript(settingsOfNode, false),
  'drain the node of a server': node.drainUnlessLastScript(settingsOfNode, false),
  'give up a node': node.drainScript(settingsOfNode, true),
  'forget a node': node.forgetScript('board-1'),
  'copy the data of a server': copyServerScript(60),
  'replace the data of a server': replaceServerScript(SUM, 60),
};

describe('scripts for hosts over SSH', function () {
  this.timeout(1_800_000);
  let shellcheck: Program;
  let folder: string;
  before(async () => {
    shellcheck = await ensureShellcheck();
    folder = await mkdtemp(path.join(tmpdir(), 'berth-scripts-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  for (const [what, script] of Object.entries(SCRIPTS))
    it(`${what}: shellcheck finds nothing, as POSIX sh`, async () => {
      const file = path.join(folder, 'script.sh');
      await writeFile(file, `${script}\n`);
      await run(shellcheck.file, ['--shell=sh', file], { env: { ...shellcheck.env } });
    });

  it('finds what is wrong with a script that is wrong', async () => {
    const file = path.join(folder, 'wrong.sh');
    await writeFile(file, 'rm -rf $1/x\n');
    await assert.rejects(
      run(shellcheck.file, ['--shell=sh', file], { env: { ...shellcheck.env } }),
      /SC2086/,
    );
  });

  it('reach the shell as they are, whatever is in them', async () => {
    const texts = fc.string({ unit: 'binary', maxLength: 200 }).filter((t) => !/[\0\r]/.test(t));
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        const command = asRoot('root', `printf %s ${quoted(text)}`);
        const { stdout } = await run('/bin/sh', ['-c', command]);
        assert.equal(stdout, text);
      }),
      { numRuns: 60 },
    );
  });
});
