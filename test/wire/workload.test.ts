import assert from 'node:assert/strict';
import { RunningService } from './support/running-service';
import { eventually } from './support/kube';

/** Long enough to look at the service meanwhile, however slow the machine is. */
const SLEEP_MS = 10_000;
/** Enough work for one thread to be looked at. */
const PRIMES = 10;

describe('workload process', function () {
  this.timeout(1_800_000);
  let service: RunningService | undefined;
  const start = async (env: Record<string, string> = {}): Promise<RunningService> =>
    (service = await RunningService.start('workload', {
      STOP_DELAY_MS: '0',
      THREADS: '1',
      ...env,
    }));
  const ask = async (query: string) => {
    const response = await fetch(`${service?.url}/?${query}`);
    return { status: response.status, text: await response.text(), headers: response.headers };
  };
  const inFlight = (count: number) =>
    eventually(`${count} requests are in hand`, async () => {
      return (await service?.metric('workload_in_flight')) === count;
    });
  afterEach(async () => {
    await service?.stop();
    service = undefined;
  });

  it('answers the three lines', async () => {
    await start();
    const { status, text } = await ask('sleep=100&prime=10000&bloat=5');
    assert.equal(status, 200);
    const [allocated, prime, slept] = text.split('\n');
    assert.equal(allocated, 'Allocated 5 Mb of memory.');
    assert.equal(prime, 'The largest prime less than 10000 is 9973.');
    const ms = Number(/^Slept for (\d+\.\d\d) milliseconds\.$/.exec(slept ?? '')?.[1]);
    // A timer may fire a little early, never much.
    assert.ok(ms >= 98, slept);
    assert.equal(await service?.metric('workload_requests_total{status="200"}'), 1);
  });

  it('computes all the time if it is told to, answers nonetheless, and stops at once', async () => {
    await start({ BUSY_THREADS: '1' });
    const seconds = async () => (await service?.metric('process_cpu_user_seconds_total')) ?? 0;
    const before = await seconds();
    // Far more than starting or answering takes.
    await eventually('it has computed for 2 s', async () => (await seconds()) > before + 2);
    assert.equal((await ask('prime=10000')).status, 200);
  });

  it('refuses bad parameters with their ranges', async () => {
    await start({ MAX_SLEEP_MS: '700' });
    const { status, text } = await ask('sleep=701&prime=2&what=1');
    assert.equal(status, 400);
    assert.match(text, /sleep: "701" is not a whole number from 0 to 700 milliseconds/);
    assert.match(text, /prime: "2" .* from 3 to/);
    assert.match(text, /what: no such parameter/);
    assert.equal((await ask('sleep=700')).status, 200);
  });

  it('answers its probes while all threads compute', async () => {
    await start({ MAX_PRIME: '100000000' });
    let answered = 0;
    const work = Array.from({ length: PRIMES }, async () => {
      const { text } = await ask('prime=100000000');
      answered += 1;
      return text;
    });
    // One thread: while others wait for it, it computes.
    await eventually('some wait for the thread', async () => {
      return ((await service?.metric('workload_waiting_for_thread')) ?? 0) > 1;
    });
    for (const route of ['/healthz', '/readyz'])
      assert.equal((await service?.get(route))?.status, 200);
    assert.ok(answered < PRIMES, 'the probes waited for the primes');
    const line = 'The largest prime less than 100000000 is 99999989.\n';
    assert.deepEqual(new Set(await Promise.all(work)), new Set([line]));
  });

  it('refuses with Retry-After what is beyond its concurrency or its memory, and takes it later', async () => {
    await start({ MAX_IN_FLIGHT: '3', MAX_BLOAT_MB: '8', MAX_TOTAL_BLOAT_MB: '10' });
    const end = new AbortController();
    const hold = (query: string) =>
      assert.rejects(fetch(`${service?.url}/?${query}`, { signal: end.signal }), /abort/i);
    const held = [hold(`sleep=${SLEEP_MS}&bloat=8`)];
    await inFlight(1);
    const tooMuch = await ask('bloat=3');
    assert.deepEqual([tooMuch.status, tooMuch.headers.get('retry-after')], [503, '1']);
    assert.match(tooMuch.text, /memory/);
    held.push(hold(`sleep=${SLEEP_MS}&bloat=2`), hold(`sleep=${SLEEP_MS}`));
    await inFlight(3);
    const tooMany = await ask('');
    assert.deepEqual([tooMany.status, tooMany.headers.get('retry-after')], [503, '1']);
    assert.match(tooMany.text, /concurrency/);
    end.abort();
    await Promise.all(held);
    await inFlight(0);
    assert.equal((await ask('bloat=8')).status, 200);
    await inFlight(0);
    assert.equal(await service?.metric('workload_bloat_bytes'), 0);
  });

  it('forgets a request whose client went away', async () => {
    await start({ MAX_IN_FLIGHT: '1', MAX_SLEEP_MS: '12000' });
    const giveUp = new AbortController();
    const given = fetch(`${service?.url}/?sleep=12000`, { signal: giveUp.signal });
    const refused = assert.rejects(given, /abort/i);
    await inFlight(1);
    giveUp.abort();
    await refused;
    await inFlight(0);
    assert.equal((await ask('prime=10')).text, 'The largest prime less than 10 is 7.\n');
    assert.equal(await service?.metric('workload_requests_total{status="499"}'), 1);
  });

  it('finishes on SIGTERM what it has in hand, and then ends well', async () => {
    await start();
    const inHand = [ask(`sleep=${SLEEP_MS}`), ask(`sleep=${SLEEP_MS}&prime=1000&bloat=1`)];
    await inFlight(2);
    service?.signal('SIGTERM');
    const answers = await Promise.all(inHand);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200],
    );
    assert.match(answers[1]?.text ?? '', /less than 1000 is 997/);
    assert.equal(await service?.exited, 0);
  });
});
