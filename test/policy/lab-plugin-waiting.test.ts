import assert from 'node:assert/strict';
import { EventEmitter, on } from 'node:events';
import type { Cluster } from '../lab/plugins/kubernetes/api/cluster';
import { changes } from '../lab/plugins/kubernetes/ready/changes';

/** A cluster whose watches give an event for each `emit('event')`, and say when one was begun. */
class Events extends EventEmitter {
  readonly cluster = { watch: this.watch.bind(this) } as unknown as Cluster;

  private async *watch(_path: string, _query: object, signal: AbortSignal) {
    const events = on(this, 'event', { signal });
    this.emit('watching');
    while (!(await events.next()).done) yield {};
  }
}

const SOURCE = [{ path: '/x', fieldSelector: 'metadata.name=x' }];

describe('lab kubernetes plugin: waiting for changes', () => {
  it('looks at once, then at each event', async () => {
    const events = new Events();
    const watching = new Promise((resolve) => events.once('watching', resolve));
    const limits = { timeoutMs: 600_000, signal: new AbortController().signal };
    const loop = changes(events.cluster, SOURCE, limits);
    assert.equal((await loop.next()).value, 'change');
    let next = loop.next();
    await watching;
    // On its own clock, which strikes every five seconds, this would take longer than a test may.
    for (let times = 0; times < 40; times += 1) {
      events.emit('event');
      assert.equal((await next).value, 'change');
      next = loop.next();
    }
    events.emit('event');
    await next;
    await loop.return(undefined);
    assert.equal(events.listenerCount('event'), 0);
  });

  it('ends with a timeout when nothing happens', async () => {
    const limits = { timeoutMs: 50, signal: new AbortController().signal };
    const seen: string[] = [];
    for await (const tick of changes(new Events().cluster, SOURCE, limits)) seen.push(tick);
    assert.equal(seen[0], 'change');
    assert.equal(seen.at(-1), 'timeout');
  });

  it('ends at once when the user cancels', async () => {
    // One after the other, for the same reason.
    for (let times = 0; times < 40; times += 1) {
      const cancel = new AbortController();
      const limits = { timeoutMs: 600_000, signal: cancel.signal };
      const loop = changes(new Events().cluster, SOURCE, limits);
      await loop.next();
      const next = (async () => {
        for (;;) await loop.next();
      })();
      cancel.abort(new Error('cancelled'));
      await assert.rejects(next, /cancelled/);
    }
  });
});
