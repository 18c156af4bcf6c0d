import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as command from '@pulumi/command';
import * as pulumi from '@pulumi/pulumi';
import type { PulumiFn, UpResult } from '@pulumi/pulumi/automation';
import { startEngine, type Engine } from './support/engine';
import { freePorts } from './support/processes';
import { startSshServer, type SshServer } from './support/ssh-server';

const TOKEN = 'token-that-must-not-show';

function changesOf({ summary }: UpResult): Record<string, number> {
  const counts = Object.entries(summary.resourceChanges ?? {});
  return Object.fromEntries(counts.filter(([kind]) => kind !== 'same'));
}

describe('lab command plugin, on the real pulumi engine', function () {
  this.timeout(1_800_000);
  let engine: Engine;
  let folder: string;

  before(async function () {
    this.timeout(3_600_000);
    folder = await mkdtemp(path.join(tmpdir(), 'berth-command-'));
    engine = await startEngine('command');
  });
  after(async () => {
    await engine?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  describe('local commands', () => {
    const program =
      (
        change: command.local.CommandArgs = {},
        options: pulumi.CustomResourceOptions = {},
      ): PulumiFn =>
      async () => {
        const one = new command.local.Command(
          'one',
          {
            create: 'echo made >> log; echo "$NAME $TOKEN" | tr a-z A-Z',
            update: 'echo "updated after $PULUMI_COMMAND_STDOUT" >> log; echo again',
            delete: 'echo deleted >> log',
            dir: folder,
            environment: { NAME: 'n', TOKEN: pulumi.secret(TOKEN) },
            triggers: ['a'],
            ...change,
          },
          options,
        );
        const seen = command.local.runOutput({ command: 'echo seen' });
        return { out: one.stdout, seen: seen.stdout };
      };
    const up = async (change?: command.local.CommandArgs, options?: pulumi.CustomResourceOptions) =>
      (await engine.stack(program(change, options))).up();
    const log = async () => (await readFile(path.join(folder, 'log'), 'utf8')).split('\n');

    it('are not run by a preview, but functions are', async () => {
      const { changeSummary } = await (await engine.stack(program())).preview();
      assert.equal(changeSummary.create, 2);
      assert.equal(existsSync(path.join(folder, 'log')), false);
    });

    it('run once, with their environment, and a second up runs nothing', async () => {
      const hidden = { additionalSecretOutputs: ['stdout'] };
      const result = await up({}, hidden);
      assert.equal(result.outputs.out?.value, `N ${TOKEN.toUpperCase()}`);
      assert.equal(result.outputs.out?.secret, true);
      assert.equal(result.outputs.seen?.value, 'seen');
      assert.deepEqual(changesOf(await up({}, hidden)), {});
      assert.deepEqual(await log(), ['made', '']);
      const state = await engine.state();
      assert.equal(state.includes(TOKEN) || state.includes(TOKEN.toUpperCase()), false);
    });

    it('update with the previous output, and are replaced by another trigger', async () => {
      assert.deepEqual(changesOf(await up({ stdin: 'x' })), { update: 1 });
      assert.deepEqual(changesOf(await up({ stdin: 'x', triggers: ['b'] })), { replace: 1 });
      const lines = await log();
      assert.equal(lines[1], `updated after N ${TOKEN.toUpperCase()}`);
      assert.deepEqual(lines.slice(2), ['made', 'deleted', '']);
    });

    it('stay as they are through a refresh', async () => {
      const stack = await engine.stack(program({ stdin: 'x', triggers: ['b'] }));
      await stack.refresh();
      assert.deepEqual(changesOf(await stack.up()), {});
    });

    it('fail with what they printed, and refuse what the lab lacks', async () => {
      const failing = { update: 'echo why >&2; exit 7', stdin: 'y', triggers: ['b'] };
      await assert.rejects(up(failing), /exit status 7: running[^]*why/);
      await assert.rejects(up({ assetPaths: ['*'] }), /does not implement the property assetPaths/);
    });

    it('run their delete command in the end', async () => {
      await (await engine.stack(program())).destroy();
      assert.equal((await log()).at(-2), 'deleted');
    });
  });

  describe('remote commands over a real sshd', () => {
    let server: SshServer;
    before(async () => {
      server = await startSshServer();
    });
    after(() => server?.stop());

    const program =
      (
        connection: Partial<command.types.input.remote.ConnectionArgs> = {},
        args: Partial<command.remote.CommandArgs> = {},
      ): PulumiFn =>
      async () => {
        const one = new command.remote.Command('one', {
          connection: {
            host: '127.0.0.1',
            port: server.port,
            privateKey: server.privateKey,
            hostKey: server.hostKey,
            dialErrorLimit: 1,
            ...connection,
          },
          create: `cat > '${folder}/remote'; echo "$SSH_CONNECTION"`,
          delete: `test -n "$PULUMI_COMMAND_STDOUT" && rm '${folder}/remote'`,
          stdin: 'sent',
          ...args,
        });
        return { out: one.stdout };
      };
    const up = async (...change: Parameters<typeof program>) =>
      (await engine.stack(program(...change))).up();
    const remote = () => path.join(folder, 'remote');

    it('run on the host, with what is sent to them', async () => {
      const result = await up();
      assert.match(`${result.outputs.out?.value}`, /^127\.0\.0\.1 \d+ 127\.0\.0\.1 \d+$/);
      assert.equal(await readFile(remote(), 'utf8'), 'sent');
    });

    it('keep the connection out of the state', async () => {
      const state = await engine.state();
      const line = server.privateKey.split('\n')[1] ?? '';
      assert.ok(line.length > 20);
      assert.equal(state.includes(line), false);
      assert.equal(state.includes('127.0.0.1\\"'), false);
    });

    it('do not run where the host shows another key than the pinned one', async () => {
      const hostKey =
        'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHZ6cGpmVnJqUmpXd3R0ZkxKVnZ1Zmd1d3R0cXB3';
      await rm(remote());
      await assert.rejects(up({ hostKey }), /Host key verification failed/);
      assert.equal(existsSync(remote()), false);
      await up({}, { stdin: 'sent again' });
    });

    it('say which host does not answer, after the set number of tries', async () => {
      const [port = 0] = await freePorts(1);
      await assert.rejects(up({ port }), /connect to host 127\.0\.0\.1[^]*refused/);
    });

    it('run their delete command on the host', async () => {
      assert.equal(existsSync(remote()), true);
      await (await engine.stack(program())).destroy();
      assert.equal(existsSync(remote()), false);
    });
  });
});
