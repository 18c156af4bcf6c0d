import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectAbove, readPulumiArgs } from '../lab/pulumi-args';

describe("the engine's command line in the lab", () => {
  const stackOf = (line: string) => readPulumiArgs(line.split(' ')).stack;

  it('finds the stack however it is written', () => {
    for (const line of ['up -s dev', 'up --stack dev', 'up --stack=dev', 'up -sdev', '-s dev up'])
      assert.equal(stackOf(line), 'dev', line);
    assert.equal(stackOf('config set --secret key'), undefined);
    assert.equal(stackOf('up --yes -- -s dev'), undefined);
  });

  it('finds the command behind global options', () => {
    const { command, subcommand } = readPulumiArgs(['--color', 'never', 'stack', 'output']);
    assert.deepEqual([command, subcommand], ['stack', 'output']);
    assert.equal(readPulumiArgs(['-s', 'dev', 'up']).command, 'up');
    assert.equal(readPulumiArgs([]).command, undefined);
  });

  it('knows a call for another folder, and one for help', () => {
    assert.equal(readPulumiArgs(['up', '-C', '/tmp']).elsewhere, true);
    assert.equal(readPulumiArgs(['up', '--cwd=/tmp']).elsewhere, true);
    assert.equal(readPulumiArgs(['up', '--help']).help, true);
    assert.equal(readPulumiArgs(['up']).elsewhere, false);
  });

  it('finds the project as the engine does', () => {
    const dir = realpathSync(mkdtempSync(join(tmpdir(), 'berth-args-')));
    try {
      mkdirSync(join(dir, 'a', 'b'), { recursive: true });
      assert.equal(projectAbove(join(dir, 'a', 'b')), undefined);
      writeFileSync(join(dir, 'a', 'Pulumi.yaml'), 'name: x\n');
      assert.equal(projectAbove(join(dir, 'a', 'b')), join(dir, 'a'));
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
