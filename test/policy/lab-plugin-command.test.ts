import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localCommand, localRun } from '../lab/plugins/command/local';
import { remoteCommand } from '../lab/plugins/command/remote';
import { mayPass, withSsh } from '../lab/plugins/command/ssh';
import { secret, UNKNOWN, type CallContext, type Props } from '../lab/plugins/shared';

interface TestContext extends CallContext {
  lines: string[];
}

function context(signal = new AbortController().signal): TestContext {
  const lines: string[] = [];
  return {
    urn: 'urn:pulumi:dev::tiny::command:local:Command::one',
    name: 'one',
    type: 'command:local:Command',
    signal,
    lines,
    log: (_severity, message) => lines.push(message),
    status: (message) => lines.push(message),
  };
}

const check = (type: typeof localCommand, news: Props) =>
  type.check!({ olds: {}, news, randomSeed: new Uint8Array() }, context());

describe('lab command plugin: local commands', () => {
  it('keeps what a command prints, without the last newline, and shows it line by line', async () => {
    const at = context();
    const inputs = {
      create: 'cat; echo $A; echo oops >&2',
      stdin: 'in\n',
      environment: { A: 'a' },
    };
    const { id, outputs } = await localCommand.create({ inputs }, at);
    assert.match(id, /^one[0-9a-f]{8}$/);
    assert.equal(outputs.stdout, 'in\na');
    assert.equal(outputs.stderr, 'oops');
    assert.deepEqual([...at.lines].sort(), ['a', 'in', 'oops']);
  });

  it('shows nothing when logging is none', async () => {
    const at = context();
    await localCommand.create({ inputs: { create: 'echo secret', logging: 'none' } }, at);
    assert.deepEqual(at.lines, []);
  });

  it('fails with the exit status, the command and all output', async () => {
    await assert.rejects(
      localCommand.create({ inputs: { create: 'echo a; echo b >&2; exit 3' } }, context()),
      /exit status 3: running "echo a[^]*a\n?[^]*b/,
    );
  });

  it('updates with update, or else create, and hands over the previous output', async () => {
    const oldOutputs = { stdout: 'before', stderr: '' };
    const request = { id: 'x', oldInputs: {}, oldOutputs };
    const echo = 'echo "$PULUMI_COMMAND_STDOUT"';
    const run = (inputs: Props) => localCommand.update!({ ...request, inputs }, context());
    assert.equal((await run({ create: 'echo no', update: echo })).stdout, 'before');
    assert.equal((await run({ create: `${echo}2` })).stdout, 'before2');
    assert.equal((await run({ create: echo, addPreviousOutputInEnv: false })).stdout, '');
    assert.equal((await run({ delete: 'true' })).stdout, 'before');
  });

  it('deletes with the delete command, its interpreter and folder', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'berth-command-'));
    const outputs = {
      delete: 'require("fs").writeFileSync("gone", process.env.PULUMI_COMMAND_STDOUT)',
      interpreter: [process.execPath, '-e'],
      dir: folder,
      stdout: 'it',
    };
    await localCommand.delete!({ id: 'x', inputs: {}, outputs }, context());
    assert.ok(existsSync(join(folder, 'gone')));
    rmSync(folder, { recursive: true });
  });

  it('kills the command and its children when the user cancels', async () => {
    const stop = new AbortController();
    const at = context(stop.signal);
    at.status = () => stop.abort();
    const inputs = { create: 'echo started; sleep 600 & sleep 600; wait' };
    // It has ended when nobody holds its output any more: its children would, for longer than this test may take.
    await assert.rejects(localCommand.create({ inputs }, at), /SIGKILL/);
  });

  it('refuses what it does not implement by name, and wrong types by place', async () => {
    const { failures = [] } = await check(localCommand, {
      create: 'true',
      assetPaths: ['*'],
      environment: { A: 1 },
      logging: 'all',
    });
    const places = failures.map((failure) => failure.property).sort();
    assert.deepEqual(places, ['assetPaths', 'environment.A', 'logging']);
  });

  it('judges no value that is not known yet', async () => {
    const news = { create: UNKNOWN, environment: UNKNOWN, triggers: [UNKNOWN] };
    assert.deepEqual((await check(localCommand, news)).failures, []);
  });

  it('runs the invoke, and refuses unknown arguments', async () => {
    assert.equal((await localRun({ command: 'echo hi' }, context())).stdout, 'hi');
    await assert.rejects(localRun({ command: 'true', create: 'x' }, context()), /create/);
  });
});

describe('lab command plugin: remote commands', () => {
  const connection = { host: 'h', privateKey: 'KEY', hostKey: 'ssh-ed25519 AAAA' };

  it('keeps the whole connection secret and fills in its defaults', async () => {
    const { inputs, failures } = await check(remoteCommand, { create: 'true', connection });
    assert.deepEqual(failures, []);
    const defaults = { user: 'root', port: 22, dialErrorLimit: 10, perDialTimeout: 15 };
    assert.deepEqual(inputs.connection, secret({ ...defaults, ...connection }));
  });

  it('refuses passwords, bastions and variables by name', async () => {
    const bad = { ...connection, password: 'x', proxy: { host: 'p' } };
    const { failures = [] } = await check(remoteCommand, { connection: bad, environment: {} });
    assert.deepEqual(failures.map((failure) => failure.property).sort(), [
      'connection.password',
      'connection.proxy',
      'environment',
    ]);
  });

  it('pins the host key, and leaves neither key on disk', async () => {
    const full = {
      user: 'root',
      port: 2222,
      dialErrorLimit: 10,
      perDialTimeout: 15,
      ...connection,
    };
    const argv = await withSsh(full, async (args) => args);
    assert.ok(argv.includes('StrictHostKeyChecking=yes'));
    assert.ok(argv.includes('HostKeyAlgorithms=ssh-ed25519'));
    assert.equal(argv.at(-1), 'h');
    assert.equal(existsSync(argv[argv.indexOf('-i') + 1] ?? ''), false);
    assert.equal(argv.join(' ').includes('KEY'), false);
  });

  it('tries again only where the host may still come up', () => {
    assert.ok(mayPass(255, 'ssh: connect to host h port 22: Connection refused\n'));
    assert.ok(!mayPass(255, 'Host key verification failed.\n'));
    assert.ok(!mayPass(1, 'ssh: connect to host h port 22: Connection refused\n'));
  });
});
