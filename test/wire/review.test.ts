import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { commandContext } from '../../runtime/cli/command-context';
import { folderBackend } from '../../runtime/cli/project';
import { reviewClean, reviewDown, reviewList, reviewUp } from '../../runtime/cli/commands/review';
import { bundlePlugin, writePluginShim } from '../lab/plugins/bundle';
import { ensurePrograms } from '../lab/programs';
import { consoleReporter } from '../lab/report';
import { addMemoryProviders } from './support/memory-engine';

const REPOSITORY = path.resolve(__dirname, '..', '..');

/** What a review's configuration comes to, as an object of its cluster. */
const PROGRAM = `
import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
const config = new pulumi.Config('berth');
const provider = new kubernetes.Provider('cluster', { kubeconfig: 'none' });
const data = { cluster: config.require('cluster'), extends: config.require('extends') };
new kubernetes.core.v1.ConfigMap('estate', { data }, { provider });
new kubernetes.core.v1.Secret('token', { stringData: { token: config.requireSecret('clusterToken') } }, { provider });
`;

describe('a review of a pull request, by the real engine and a file backend', function () {
  this.timeout(1_800_000);
  let folder: string;
  let backend: string;
  let env: NodeJS.ProcessEnv;
  const environment = { ...process.env };
  let printed: string[] = [];

  before(async function () {
    this.timeout(3_600_000);
    const { pulumi } = await ensurePrograms(['pulumi'], consoleReporter());
    folder = await realpath(await mkdtemp(path.join(tmpdir(), 'berth-review-')));
    const bin = path.join(folder, 'bin');
    await mkdir(bin);
    await symlink(pulumi, path.join(bin, 'pulumi'));
    await addMemoryProviders(bin);
    const host = await bundlePlugin('language-nodejs', path.join(folder, 'bundles'));
    await writePluginShim('language-nodejs', host, bin);
    backend = path.join(folder, 'backend');
    await mkdir(backend);
    env = {
      ...process.env,
      BERTH_LAB: 'never',
      PATH: `${bin}:${process.env.PATH}`,
      PULUMI_BACKEND_URL: folderBackend(backend),
      PULUMI_CONFIG_PASSPHRASE: 'only for this test',
      PULUMI_HOME: path.join(folder, 'home'),
      PULUMI_SKIP_UPDATE_CHECK: 'true',
    };
  });
  after(async () => {
    // Opening a stack takes from this process what the engine must not see.
    Object.assign(process.env, environment);
    await rm(folder, { recursive: true, force: true });
  });

  /** A checkout of the project of its own, as each job of a build server has one. */
  const checkout = async () => {
    const project = await mkdtemp(path.join(folder, 'checkout-'));
    await symlink(path.join(REPOSITORY, 'node_modules'), path.join(project, 'node_modules'));
    await writeFile(path.join(project, 'package.json'), '{"name":"tiny","main":"index.ts"}');
    await writeFile(path.join(project, 'index.ts'), PROGRAM);
    const settings = await readFile(path.join(REPOSITORY, 'Pulumi.yaml'));
    await writeFile(path.join(project, 'Pulumi.yaml'), settings);
    await writeFile(
      path.join(project, 'Pulumi.tiny.yaml'),
      'config:\n  berth:cluster: { docker: { name: berth-tiny } }\n',
    );
    printed = [];
    const context = commandContext(project, env, new AbortController().signal, { stack: 'tiny' });
    return { ...context, print: (line: string) => void printed.push(line) };
  };
  const of = (pr: string) => ({ stack: 'tiny', base: 'tiny', pr });
  const listed = async () => {
    await reviewList(await checkout(), { stack: 'tiny', json: true });
    return (JSON.parse(printed.join('\n')) as { stack: string }[]).map(({ stack }) => stack);
  };

  it('comes up with a configuration of its own', async () => {
    assert.equal(await reviewUp(await checkout(), of('7')), 0);
    assert.match(printed.join('\n'), /^changes: \d created/m);
    const file = path.join(backend, '.pulumi', 'stacks', 'berth', 'pr-7-tiny.json');
    const state = await readFile(file, 'utf8');
    assert.match(state, /berth-pr-7-tiny/);
    assert.match(state, /"extends":"tiny"/);
  });

  it('changes nothing when it comes up again from another checkout', async () => {
    await reviewUp(await checkout(), of('7'));
    assert.match(printed[0] ?? '', /no change/);
  });

  it('is listed, and taken down when its pull request is open no more', async () => {
    await reviewUp(await checkout(), of('8'));
    assert.deepEqual(await listed(), ['pr-7-tiny', 'pr-8-tiny']);
    assert.equal(await reviewClean(await checkout(), { stack: 'tiny', open: ['7'] }), 0);
    assert.deepEqual(await listed(), ['pr-7-tiny']);
  });

  it('is taken down with its stack, and once more is nothing to do', async () => {
    assert.equal(await reviewDown(await checkout(), of('7')), 0);
    assert.deepEqual(await listed(), []);
    assert.equal(await reviewDown(await checkout(), of('7')), 0);
    assert.match(printed.join('\n'), /nothing to do/);
  });
});
