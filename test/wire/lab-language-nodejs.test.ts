import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bundlePlugin, writePluginShim } from '../lab/plugins/bundle';
import { ensurePrograms } from '../lab/programs';
import { consoleReporter } from '../lab/report';

const REPOSITORY = path.resolve(__dirname, '..', '..');
const TOKEN = 'token-that-must-not-show';

/** A program with configuration, a resource and outputs; `MODE` says how it fails. */
const PROGRAM = `
import * as pulumi from '@pulumi/pulumi';
import * as fs from 'node:fs';
const config = new pulumi.Config();
console.log('said by the program');
if (process.env.MODE === 'throw') throw new Error('thrown by the program');
if (process.env.MODE === 'exit') process.exit(7);
if (process.env.MODE === 'hang') { fs.writeFileSync('hanging', ''); setInterval(() => {}, 1000); }
class Part extends pulumi.ComponentResource {
  constructor(name: string) { super('tiny:index:Part', name); this.registerOutputs({}); }
}
new Part('part');
export const greeting = \`hello \${config.require('name')}\`;
export const token = config.requireSecret('token');
export const folder = process.cwd();
export const preview = pulumi.runtime.isDryRun();
`;

interface Ended {
  code: number | null;
  output: string;
}

describe('lab language host, under a plain pulumi command line', function () {
  this.timeout(1_800_000);
  let folder: string;
  let project: string;
  let env: NodeJS.ProcessEnv;

  before(async function () {
    this.timeout(3_600_000);
    const { pulumi } = await ensurePrograms(['pulumi'], consoleReporter());
    folder = await realpath(await mkdtemp(path.join(tmpdir(), 'berth-language-')));
    project = path.join(folder, '.berth', 'dev', 'project');
    const bin = path.join(folder, 'bin');
    await writePluginShim(
      'language-nodejs',
      await bundlePlugin('language-nodejs', path.join(folder, 'bundles')),
      bin,
    );
    await mkdir(project, { recursive: true });
    await symlink(path.join(REPOSITORY, 'node_modules'), path.join(folder, 'node_modules'));
    await writeFile(path.join(folder, 'package.json'), '{"name":"tiny","main":"index.ts"}');
    await writeFile(path.join(folder, 'index.ts'), PROGRAM);
    await writeFile(
      path.join(project, 'Pulumi.yaml'),
      [
        'name: tiny',
        'runtime: { name: nodejs, options: { typescript: false, nodeargs: "--import tsx" } }',
        'main: ../../..',
        `backend: { url: "file://${folder}" }`,
        '',
      ].join('\n'),
    );
    env = {
      ...process.env,
      PATH: `${bin}:${path.dirname(pulumi)}:${process.env.PATH}`,
      PULUMI_HOME: path.join(folder, 'home'),
      PULUMI_CONFIG_PASSPHRASE: 'only for this test',
      PULUMI_SKIP_UPDATE_CHECK: 'true',
    };
    await pulumiRun(['stack', 'init', 'dev']);
    await pulumiRun(['config', 'set', 'name', 'world', '-s', 'dev']);
    await pulumiRun(['config', 'set', '--secret', 'token', TOKEN, '-s', 'dev']);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const start = (args: string[], more: NodeJS.ProcessEnv = {}) => {
    const child = spawn('pulumi', [...args, '--non-interactive', '--color', 'never'], {
      cwd: project,
      env: { ...env, ...more },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    }
    const ended = new Promise<Ended>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, output }));
    });
    return { child, ended };
  };
  const pulumiRun = (args: string[], more?: NodeJS.ProcessEnv) => start(args, more).ended;
  const count = (text: string, part: string) => text.split(part).length - 1;

  it('previews, with the project in another folder than the program', async () => {
    const { code, output } = await pulumiRun(['preview', '-s', 'dev', '--diff']);
    assert.equal(code, 0, output);
    assert.match(output, /said by the program/);
    assert.match(output, /preview *: true/);
    assert.match(output, /greeting *: "hello world"/);
    assert.equal(output.includes(TOKEN), false);
  });

  it('brings the stack up and shows its outputs, secrets masked', async () => {
    const { code, output } = await pulumiRun(['up', '--yes', '-s', 'dev']);
    assert.equal(code, 0, output);
    assert.ok(output.includes(`"${folder}"`));
    assert.match(output, /token *: \[secret\]/);
    assert.equal(output.includes(TOKEN), false);
  });

  it('shows an error of the program once, and fails', async () => {
    const { code, output } = await pulumiRun(['up', '--yes', '--skip-preview', '-s', 'dev'], {
      MODE: 'throw',
    });
    assert.notEqual(code, 0);
    assert.equal(count(output, 'Error: thrown by the program'), 1, output);
    assert.equal(output.includes('non-zero exit code'), false);
  });

  it('names the exit code of a program that just ends', async () => {
    const { code, output } = await pulumiRun(['preview', '-s', 'dev'], { MODE: 'exit' });
    assert.notEqual(code, 0);
    assert.match(output, /Program exited with non-zero exit code: 7/);
  });

  it('ends a program that hangs when the user gives up', async () => {
    const { child, ended } = start(['preview', '-s', 'dev'], { MODE: 'hang' });
    const mark = path.join(folder, 'hanging');
    while (!existsSync(mark)) {
      assert.equal(child.exitCode, null, 'pulumi ended too early');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    child.kill('SIGINT');
    const { code } = await ended;
    assert.notEqual(code, 0);
  });

  it('says what the project is made of, and takes it down', async () => {
    const { output } = await pulumiRun(['about', '-s', 'dev']);
    assert.match(output, /nodejs: executable=.* version='v\d+/);
    const { code, output: gone } = await pulumiRun(['destroy', '--yes', '-s', 'dev']);
    assert.equal(code, 0, gone);
  });
});
