import assert from 'node:assert/strict';
import { workerBody } from '../../../runtime/autoscaler/containers/worker-body';
import { workerSettings } from '../../../runtime/autoscaler/containers/settings';
import { addProxy } from '../../../runtime/docker-socket-proxy/app';
import type { Handled } from '../../../runtime/docker-socket-proxy/handle';
import type {
  Engine,
  EngineAnswer,
  EngineRequest,
} from '../../../runtime/docker-socket-proxy/ports';
import { startHealthServer, type HealthServer } from '../../../runtime/shared/health-server';
import { createMetrics } from '../../../runtime/shared/metrics';
import { parseSettings, SettingsError } from '../../../runtime/shared/settings';
import { mouldOf } from '../autoscaler/worker-mould';

const TOKEN = 'a-token-of-the-proxy';
const mould = mouldOf({ files: {} });
const idOf = (name: string): string => name.padEnd(64, '0').slice(0, 64);

/** An engine of which only labels are known; notes what it is asked to do. */
class NotingEngine implements Engine {
  readonly sent: string[] = [];
  away = false;
  /** Labels by container. */
  readonly containers = new Map<string, Record<string, string> | null>();

  async send({ method, path }: EngineRequest): Promise<EngineAnswer> {
    if (this.away) throw new Error('connect ENOENT /var/run/docker.sock');
    const name = /^\/containers\/([^/]+)\/json$/.exec(path)?.[1];
    if (name === undefined) {
      this.sent.push(`${method} ${path}`);
      return says(method === 'DELETE' ? 204 : 200, method === 'DELETE' ? undefined : { done: 1 });
    }
    const labels = this.containers.get(name);
    if (labels === undefined) return says(404, { message: `No such container: ${name}` });
    return says(200, { Id: idOf(name), Config: { Labels: labels } });
  }
}

const says = (status: number, body: unknown): EngineAnswer => ({
  status,
  body: Buffer.from(body === undefined ? '' : JSON.stringify(body)),
});

describe('docker-socket-proxy: over HTTP', () => {
  let engine: NotingEngine;
  let server: HealthServer;
  let outcomes: Omit<Handled, 'body'>[];
  beforeEach(async () => {
    engine = new NotingEngine();
    engine.containers.set('cafe', { 'berth.autoscaler': 'quay' });
    engine.containers.set('beef', { 'berth.autoscaler': 'pier' });
    engine.containers.set('dead', null);
    outcomes = [];
    server = await startHealthServer({
      ...{ host: '127.0.0.1', port: 0, registry: createMetrics('test').registry },
      ...{ healthy: () => ({ ok: true }), ready: () => ({ ok: true }) },
      routes: (app) =>
        addProxy(app, {
          ...{ rules: { mould, files: undefined }, engine, token: TOKEN },
          handled: (outcome) => void outcomes.push(outcome),
        }),
    });
  });
  afterEach(() => server.close());

  const ask = (method: string, path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`http://127.0.0.1:${server.port}${path}`, {
      method,
      headers: { authorization: `Bearer ${TOKEN}` },
      ...init,
    });
  const messageOf = async (response: Response): Promise<string> =>
    ((await response.json()) as { message: string }).message;

  it('asks for the token first, except on its own health', async () => {
    for (const authorization of ['', TOKEN, `Basic ${TOKEN}`, `Bearer ${TOKEN}x`, 'Bearer ']) {
      const response = await ask('DELETE', '/containers/cafe?v=true&force=true', {
        headers: { authorization },
      });
      assert.equal(response.status, 401, authorization);
      assert.equal(response.headers.get('www-authenticate'), 'Bearer');
    }
    assert.equal((await ask('GET', '/healthz', { headers: {} })).status, 200);
    assert.deepEqual(engine.sent, []);
    assert.ok(outcomes.every(({ outcome }) => outcome === 'refused') && outcomes.length === 5);
  });

  it('acts on workers of its estate, by their ids', async () => {
    assert.equal((await ask('POST', '/containers/cafe/start')).status, 200);
    const removed = await ask('DELETE', '/containers/cafe?v=true&force=true');
    assert.deepEqual([removed.status, await removed.text()], [204, '']);
    const id = idOf('cafe');
    assert.deepEqual(engine.sent, [
      `POST /containers/${id}/start`,
      `DELETE /containers/${id}?v=true&force=true`,
    ]);
  });

  it('does not act on anything else', async () => {
    for (const container of ['beef', 'dead'])
      for (const [method, path] of [
        ['POST', 'start'],
        ['POST', 'stop?t=1'],
        ['DELETE', '?v=true&force=true'],
      ] as const) {
        const response = await ask(method, `/containers/${container}/${path}`.replace('/?', '?'));
        assert.equal(response.status, 403);
        assert.match(await messageOf(response), /is not a worker of this estate/);
      }
    assert.equal((await ask('POST', '/containers/none/start')).status, 404);
    assert.deepEqual(engine.sent, []);
  });

  it('makes a worker, and nothing else', async () => {
    const create = (body: unknown) =>
      ask('POST', '/containers/create?name=k3s-worker-3', { body: JSON.stringify(body) });
    const body = workerBody(mould, 'k3s-worker-3', 'op');
    assert.equal((await create(body)).status, 200);
    const evil = await create({ ...body, HostConfig: { ...body.HostConfig, PidMode: 'host' } });
    assert.equal(evil.status, 403);
    assert.match(await messageOf(evil), /HostConfig\.PidMode: is not what workers are made of/);
    assert.deepEqual(engine.sent, ['POST /containers/create?name=k3s-worker-3']);
  });

  it('does not read a body without end', async () => {
    const body = 'x'.repeat(2 * 2 ** 20);
    const response = await ask('POST', '/containers/create?name=k3s-worker-3', { body });
    assert.equal(response.status, 413);
    assert.deepEqual(engine.sent, []);
  });

  it('says that the engine is away', async () => {
    engine.away = true;
    const response = await ask('POST', '/containers/cafe/start');
    assert.equal(response.status, 502);
    assert.match(await messageOf(response), /the Docker engine: connect ENOENT/);
    assert.equal(outcomes[0]?.outcome, 'failed');
  });
});

describe('docker-socket-proxy: its settings', () => {
  const env = { K3S_TOKEN: 'secret', DOCKER_TOKEN: TOKEN };
  const parse = (template: string) =>
    parseSettings(workerSettings, { ...env, WORKER_TEMPLATE: template });

  it('takes a template as it is written', () => {
    const text = JSON.stringify(mould.template);
    assert.deepEqual(parse(text).workerTemplate, mould.template);
  });

  it('names the place in a template that is wrong', () => {
    const { container } = mould.template;
    const wrong = { ...mould.template, container: { ...container, cpus: -1, user: 'root' } };
    assert.throws(
      () => parse(JSON.stringify(wrong)),
      (error: Error) =>
        error instanceof SettingsError &&
        /container\.cpus: .*container: .*user/s.test(error.message),
    );
    assert.throws(() => parse('{'), /must be JSON/);
    assert.throws(() => parse(''), /WORKER_TEMPLATE .*is required/);
  });
});
