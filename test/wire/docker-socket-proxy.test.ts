import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import type { UpResult } from '@pulumi/pulumi/automation';
import { buildServiceContext } from '../../components/build-context';
import { parseEstateConfig } from '../../components/config';
import { DockerSocketProxy } from '../../components/services/docker-socket-proxy';
import { workerBody } from '../../runtime/autoscaler/containers/worker-body';
import { nodeImage } from '../lab/images/node-image';
import { pushImage } from '../lab/images/push';
import { consoleReporter } from '../lab/report';
import { mouldOf } from '../policy/autoscaler/worker-mould';
import { startEngine, type Engine } from './support/engine';
import { startLabEngine, type LabEngine } from './support/lab-engine';
import { temporaryFolder } from './support/service-process';

const NODE = 'node:22-bookworm-slim';
const IMAGE = 'berth.test/docker-socket-proxy:1';
const TOKEN = 'a-token-of-the-proxy';
const NAME = 'k3s-worker-7';
const mould = mouldOf({
  ...{ image: NODE, command: ['sleep', '3600'], memoryMb: 64, mounts: [], files: {} },
  ...{ devices: [], capabilities: ['NET_ADMIN'], stopSeconds: 1 },
});

/** A request from a container on the network, and what is answered. */
interface Sent {
  readonly method?: string;
  readonly path: string;
  readonly token?: string;
  readonly body?: unknown;
}

describe('the docker-socket-proxy, as the stack declares it, on the real engines', function () {
  this.timeout(1_800_000);
  let lab: LabEngine;
  let engine: Engine;
  let context: string | undefined;

  before(async function () {
    this.timeout(3_600_000);
    lab = await startLabEngine();
    engine = await startEngine('docker', lab.env);
    await pushImage(lab.ctx, await nodeImage(consoleReporter()));
    context = await temporaryFolder('docker-socket-proxy');
    buildServiceContext('docker-socket-proxy', context);
    const dockerfile = path.resolve(__dirname, '../../images/service.Dockerfile');
    await lab.docker('build', '-q', '-f', dockerfile, '-t', IMAGE, context);
  });
  after(async function () {
    this.timeout(900_000);
    await engine?.stop();
    await lab?.stop();
    if (context !== undefined) await rm(context, { recursive: true, force: true });
  });

  const program = async () => {
    const { cluster, images } = parseEstateConfig({
      values: { cluster: { docker: { name: 'quay', host: lab.ctx.dockerHost } } },
      keys: [],
      secrets: new Set(['clusterToken']),
    });
    const provider = new docker.Provider('docker', { host: lab.ctx.dockerHost });
    const network = new docker.Network('net', { name: 'quay' }, { provider });
    const token = pulumi.secret(mould.clusterToken);
    const hosts = {
      ...{ config: cluster.docker, token, network: network.name, serverContainer: 'none' },
      server: network,
    };
    const proxy = new DockerSocketProxy(
      'docker-socket-proxy',
      {
        ...{ hosts, images, image: IMAGE, template: mould.template, logLevel: 'info' },
        socket: new URL(lab.ctx.dockerHost).pathname,
        token: pulumi.secret(TOKEN),
      },
      {},
    );
    return Promise.resolve({ url: proxy.url });
  };
  const changesOf = ({ summary }: UpResult) =>
    Object.entries(summary.resourceChanges ?? {}).filter(([kind]) => kind !== 'same');

  /** Sends requests one after the other from a container on the estate's network. */
  const ask = async (url: string, requests: readonly Sent[]): Promise<string[]> => {
    const script = `(async () => {
      const [url, requests] = process.argv.slice(1).map((text) => JSON.parse(text));
      const answers = [];
      for (const { method, path, token, body } of requests) {
        const response = await fetch(url + path, {
          method: method ?? 'GET',
          headers: { authorization: 'Bearer ' + token },
          ...(body && { body: JSON.stringify(body) }),
        });
        answers.push(response.status + ' ' + (await response.text()));
      }
      console.log(JSON.stringify(answers));
    })();`;
    const given = [JSON.stringify(url), JSON.stringify(requests)];
    const run = ['run', '--rm', '--network', 'quay', NODE, 'node', '-e', script, ...given];
    return JSON.parse(await lab.docker(...run)) as string[];
  };

  it('comes up, lets workers be made from inside the network and nothing else, and goes', async () => {
    const stack = await engine.stack(program);
    const { outputs } = await stack.up();
    const url = String(outputs.url?.value);
    assert.match(url, /^http:\/\/\d+\.\d+\.\d+\.\d+:2375$/);
    const filters = encodeURIComponent('{"label":["berth.autoscaler=quay"]}');
    const list = `/containers/json?all=true&filters=${filters}`;
    const body = workerBody(mould, NAME, 'op');
    const create = { method: 'POST', path: `/containers/create?name=${NAME}`, token: TOKEN };
    const hostile = { ...body, HostConfig: { ...body.HostConfig, Binds: ['/:/host'] } };
    const of = (container: string, end = ''): string => `/containers/${container}${end}`;
    const own = 'quay-docker-socket-proxy';
    const gone = '?v=true&force=true';
    const answers = await ask(url, [
      { path: list, token: 'another-token-of-some-length' },
      { path: list, token: TOKEN },
      { path: '/info', token: TOKEN },
      { ...create, body: hostile },
      { ...create, body },
      { method: 'POST', path: of(NAME, '/start'), token: TOKEN },
      { method: 'POST', path: of(NAME, '/exec'), token: TOKEN, body: { Cmd: ['id'] } },
      { method: 'DELETE', path: of(own, gone), token: TOKEN },
      { path: list, token: TOKEN },
      { method: 'DELETE', path: of(NAME, gone), token: TOKEN },
    ]);
    assert.deepEqual(
      answers.map((answer) => answer.slice(0, 3)),
      ['401', '200', '403', '403', '201', '204', '403', '403', '200', '204'],
      answers.join('\n'),
    );
    assert.match(answers[3] ?? '', /HostConfig\.Binds/);
    assert.match(answers[7] ?? '', /is not a worker of this estate/);
    assert.match(answers[8] ?? '', /"State":"running"/);

    assert.equal(await lab.docker('port', own), '');
    assert.ok(!(await engine.state()).includes(TOKEN));
    assert.deepEqual(changesOf(await stack.up()), []);
    await stack.destroy();
    assert.equal(await lab.docker('ps', '-aq'), '');
    assert.equal(await lab.docker('volume', 'ls', '-q'), '');
  });
});
