import assert from 'node:assert/strict';
import { installScript } from '../../components/hosts/ssh/install-script';
import { configFlags } from '../lab/k3s/entrypoint/config-file';
import { parseUnit } from '../lab/ssh-host/units';

describe("the lab's hosts over SSH", () => {
  it('read config.yaml as k3s does: each key a flag, lists again and again', () => {
    const text =
      '{ "node-name": "n", "tls-san": ["a", "b"], "cluster-init": true, "debug": false }';
    assert.deepEqual(configFlags(text), [
      ...['--node-name=n', '--tls-san=a', '--tls-san=b', '--cluster-init'],
    ]);
    assert.deepEqual(configFlags(''), []);
  });

  it('know all of the unit that the install script writes', () => {
    const script = installScript({
      ...{ role: 'agent', arch: 'amd64', version: 'v1.36.3+k3s1', readyTimeoutSeconds: 60 },
      ...{ binary: { from: '/k3s', sha256: '', sha256Key: '' }, config: {}, registries: {} },
    });
    const [, unit = ''] = /(\[Unit\][^]*?)\nBERTH_END/.exec(script) ?? [];
    assert.deepEqual(parseUnit(unit), {
      before: ['br_netfilter', 'overlay'].map((name) => ({
        argv: ['/sbin/modprobe', name],
        mayFail: true,
      })),
      argv: ['/usr/local/bin/k3s', 'agent'],
      saysReady: false,
      restartSeconds: 5,
    });
  });

  it('refuse a unit with a setting that they do not know, or nothing to run', () => {
    assert.throws(() => parseUnit('[Service]\nExecStart=/x\nExecReload=/y'), /ExecReload=/);
    assert.throws(() => parseUnit('[Service]\nRestart=always'), /ExecStart= is missing/);
  });
});
