import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { systemClock } from '../../runtime/shared/clock';
import { KubeApi } from '../../runtime/shared/kubernetes/api';
import { Informer } from '../../runtime/shared/kubernetes/informer';
import type { KubeObject } from '../../runtime/shared/kubernetes/types';
import { eventually } from '../wire/support/kube';

const object = (name: string, uid: string, resourceVersion: string): KubeObject => ({
  metadata: { name, uid, resourceVersion },
});

/** Lists and watches as the API server does, and breaks when the test says so. */
class FakeCollection {
  items: KubeObject[] = [];
  version = '1';
  lists = 0;
  /** The resourceVersion of each watch that was begun. */
  readonly watchedFrom: string[] = [];
  /** Answered to the next watch instead of following. */
  refuseWith: number | undefined;
  #watch: ServerResponse | undefined;
  readonly server = createServer((request, response) => {
    const query = new URL(request.url ?? '/', 'http://x').searchParams;
    if (query.get('watch') !== 'true') {
      this.lists += 1;
      response.end(
        JSON.stringify({ metadata: { resourceVersion: this.version }, items: this.items }),
      );
      return;
    }
    this.watchedFrom.push(query.get('resourceVersion') ?? '');
    if (this.refuseWith !== undefined) {
      response.statusCode = this.refuseWith;
      this.refuseWith = undefined;
      response.end(JSON.stringify({ kind: 'Status', message: 'too old resource version' }));
      return;
    }
    response.flushHeaders();
    this.#watch = response;
  });

  send(type: string, what: object): void {
    this.#watch?.write(`${JSON.stringify({ type, object: what })}\n`);
  }
  cut(): void {
    this.#watch?.destroy();
  }
  end(): void {
    this.#watch?.end();
  }
}

describe('informer', () => {
  let fake: FakeCollection;
  let api: KubeApi;
  let stop: AbortController;
  let seen: string[];
  let known: Set<string>;

  beforeEach(async () => {
    fake = new FakeCollection();
    fake.items = [object('a', 'a1', '1'), object('b', 'b1', '1')];
    await new Promise<void>((resolve) => fake.server.listen(0, '127.0.0.1', resolve));
    const { port } = fake.server.address() as AddressInfo;
    api = new KubeApi(
      { origin: `http://127.0.0.1:${port}`, prefix: '', tls: {}, headers: async () => ({}) },
      { timeoutMs: 60_000, connections: 2, userAgent: 'test' },
    );
    stop = new AbortController();
    seen = [];
    known = new Set();
    const informer = new Informer<KubeObject, string>(
      api,
      { path: '/api/v1/things', project: ({ metadata }) => `${metadata.name}/${metadata.uid}` },
      {
        set: (one) => (known.add(one), seen.push(`+${one}`)),
        remove: (one) => (known.delete(one), seen.push(`-${one}`)),
        synced: () => seen.push('synced'),
      },
      systemClock,
      pino({ level: 'silent' }),
    );
    void informer.run(stop.signal);
    await eventually('it watches', async () => fake.watchedFrom.length === 1);
  });
  afterEach(async () => {
    stop.abort();
    await api.close();
    fake.server.closeAllConnections();
    await new Promise((resolve) => fake.server.close(resolve));
  });
  const watches = (count: number) =>
    eventually(`watch ${count}`, async () => fake.watchedFrom.length >= count);
  const knows = (...what: string[]) =>
    eventually(`it knows ${what.join()}`, async () => [...known].sort().join() === what.join());

  it('gives all there is, then every change', async () => {
    assert.deepEqual(seen, ['+a/a1', '+b/b1', 'synced']);
    fake.send('ADDED', object('c', 'c1', '2'));
    fake.send('DELETED', object('a', 'a1', '3'));
    await knows('b/b1', 'c/c1');
  });

  it('goes on from the last event or bookmark when the watch ends or breaks, without listing', async () => {
    fake.send('ADDED', object('c', 'c1', '5'));
    await knows('a/a1', 'b/b1', 'c/c1');
    fake.end();
    await watches(2);
    fake.send('BOOKMARK', { metadata: { resourceVersion: '9' } });
    fake.send('ADDED', object('d', 'd1', '10'));
    await knows('a/a1', 'b/b1', 'c/c1', 'd/d1');
    fake.cut();
    await watches(3);
    assert.deepEqual(fake.watchedFrom, ['1', '5', '10']);
    assert.equal(fake.lists, 1);
  });

  for (const how of ['as an event', 'as an answer'] as const) {
    it(`lists again when the history is gone (410 ${how}), and reports what vanished meanwhile`, async () => {
      // b was deleted and made anew under its name, a is gone, c is new.
      fake.items = [object('b', 'b2', '20'), object('c', 'c1', '20')];
      fake.version = '20';
      if (how === 'as an event') fake.send('ERROR', { code: 410, message: 'too old' });
      else {
        fake.refuseWith = 410;
        fake.end();
      }
      await knows('b/b2', 'c/c1');
      assert.deepEqual(seen.slice(3).sort(), ['+b/b2', '+c/c1', '-a/a1', '-b/b1']);
      await eventually('it watches from there', async () => fake.watchedFrom.at(-1) === '20');
      assert.equal(fake.lists, 2);
    });
  }

  it('tries again while the server refuses', async () => {
    fake.refuseWith = 500;
    fake.end();
    await watches(3);
    fake.send('ADDED', object('c', 'c1', '2'));
    await knows('a/a1', 'b/b1', 'c/c1');
    assert.equal(fake.lists, 1);
  });
});
