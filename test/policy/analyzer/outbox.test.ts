import assert from 'node:assert/strict';
import { memoryStore } from '../../../runtime/analyzer/adapters/memory';
import { Outbox } from '../../../runtime/analyzer/outbox';
import type { RowStore } from '../../../runtime/analyzer/ports';
import { row } from './rows-of';
import { FakeClock, settle } from './fake-clock';

/** A store that can be switched off. */
function switchedStore() {
  const store = memoryStore();
  let up = true;
  let attempts = 0;
  const switched: RowStore = {
    append: (rows) => {
      attempts += 1;
      return up ? store.append(rows) : Promise.reject(new Error('away'));
    },
    close: () => store.close(),
  };
  const ids = () => store.rows.map(({ id }) => id);
  return {
    switched,
    ids,
    attempts: () => attempts,
    turn: (on: boolean) => {
      up = on;
    },
  };
}

describe('outbox of rows', () => {
  const failures: number[] = [];
  const outboxOf = (store: RowStore, clock: FakeClock, capacity = 100) =>
    new Outbox(store, { clock, capacity, onFailure: (_error, waiting) => failures.push(waiting) });
  beforeEach(() => failures.splice(0));

  it('has a row stored when adding it resolves', async () => {
    const { switched, ids } = switchedStore();
    const outbox = outboxOf(switched, new FakeClock());
    await Promise.all([outbox.add(row('a')), outbox.add(row('b'))]);
    assert.deepEqual(ids(), ['a', 'b']);
    assert.equal(outbox.unsent, 0);
  });

  it('keeps rows in order while the store is away, and stores each once when it is back', async () => {
    const { switched, ids, turn } = switchedStore();
    const clock = new FakeClock();
    const outbox = outboxOf(switched, clock);
    turn(false);
    for (const id of ['a', 'b', 'c']) await outbox.add(row(id));
    assert.equal(outbox.unsent, 3);
    assert.ok(failures.includes(3));
    turn(true);
    await clock.advance(60_000);
    assert.deepEqual(ids(), ['a', 'b', 'c']);
    assert.equal(outbox.unsent, 0);
  });

  it('waits longer between attempts the longer the store is away', async () => {
    const { switched, attempts, turn } = switchedStore();
    const clock = new FakeClock();
    const outbox = outboxOf(switched, clock);
    turn(false);
    await outbox.add(row('a'));
    await clock.advance(3_600_000);
    assert.ok(attempts() > 10 && attempts() < 150, `${attempts()} attempts in an hour`);
    assert.equal(outbox.unsent, 1);
  });

  it('refuses and counts rows beyond its capacity', async () => {
    const { switched, turn } = switchedStore();
    const outbox = outboxOf(switched, new FakeClock(), 2);
    turn(false);
    for (const id of ['a', 'b', 'c']) await outbox.add(row(id));
    assert.equal(outbox.unsent, 3);
  });

  it('tries on for the time it is given when it closes, then says how many rows are unsent', async () => {
    const { switched, turn, ids } = switchedStore();
    const clock = new FakeClock();
    const outbox = outboxOf(switched, clock);
    turn(false);
    await outbox.add(row('a'));
    const closed = outbox.close(10_000);
    await clock.advance(2000);
    turn(true);
    await clock.advance(8000);
    assert.equal(await closed, 0);
    assert.deepEqual(ids(), ['a']);

    const hopeless = outboxOf(switched, clock);
    turn(false);
    await hopeless.add(row('b'));
    const gaveUp = hopeless.close(10_000);
    await clock.advance(10_000);
    assert.equal(await gaveUp, 1);
    await settle();
  });
});
