import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Api, refusal, TOKEN } from './api-support';

interface Problem {
  readonly error: string;
  readonly problems?: readonly { readonly field: string; readonly message: string }[];
}
const problemOf = async (response: Response): Promise<Problem> =>
  (await response.json()) as Problem;
const UP = { action: 'scale_up', count: 2, reason: 'test' };

describe('autoscaler: the REST API', () => {
  let api: Api;
  beforeEach(async () => {
    api = new Api();
    await api.start();
  });
  afterEach(() => api.close());

  it('answers every GET of the document without a token', async () => {
    for (const path of [
      '/',
      '/health',
      '/metrics',
      '/nodes/metrics',
      '/workers',
      '/history',
      '/config',
      '/reconciliation/status',
      '/openapi.json',
    ]) {
      const response = await api.fetch(path);
      assert.equal(response.status, 200, path);
      assert.match(response.headers.get('content-type') ?? '', /^application\/json/);
    }
  });

  it('health is 503 when it is not well', async () => {
    api.healthy = false;
    assert.equal((await api.fetch('/health')).status, 503);
  });

  it('does what it is told, with the defaults', async () => {
    assert.equal((await api.post('/scale', { action: 'scale_down' })).status, 202);
    assert.equal((await api.post('/cycle')).status, 200);
    assert.equal((await api.post('/reconciliation/trigger', {})).status, 200);
    assert.equal((await api.post('/stop')).status, 202);
    assert.deepEqual(api.done, [
      { action: 'scale_down', count: 1, reason: 'asked for by hand' },
      ...['cycle', 'reconcile', 'stop'],
    ]);
  });

  it('takes the token in a header of its own, for proxies that take Authorization for theirs', async () => {
    const cycle = async (headers: Record<string, string>) =>
      (await api.post('/cycle', {}, headers)).status;
    assert.equal(await cycle({ authorization: '', 'x-api-token': TOKEN }), 200);
    assert.equal(await cycle({ authorization: '', 'x-api-token': `${TOKEN}x` }), 401);
    // One that is wrong is not made good for by the other.
    assert.equal(await cycle({ 'x-api-token': '' }), 401);
  });

  it('asks for the token before it looks at anything else', async () => {
    for (const path of ['/scale', '/rules/init', '/cycle', '/stop', '/reconciliation/trigger'])
      for (const authorization of [
        '',
        'Bearer',
        'Bearer x',
        `Basic ${TOKEN}`,
        `Bearer ${TOKEN}x`,
        `Bearer ${TOKEN} x`,
        TOKEN,
      ]) {
        const response = await api.post(path, 'no JSON', { authorization });
        assert.equal(response.status, 401, `${path} ${authorization}`);
        assert.equal(response.headers.get('www-authenticate'), 'Bearer');
      }
    assert.deepEqual(api.done, []);
  });

  const wrong: [unknown, string][] = [
    [{}, 'action'],
    [{ action: 'scale' }, 'action'],
    [{ action: 'scale_up', count: 0 }, 'count'],
    [{ action: 'scale_up', count: 101 }, 'count'],
    [{ action: 'scale_up', count: 1.5 }, 'count'],
    [{ action: 'scale_up', count: '1' }, 'count'],
    [{ action: 'scale_up', count: null }, 'count'],
    [{ action: 'scale_up', reason: 1 }, 'reason'],
    [{ action: 'scale_up', reason: 'x'.repeat(501) }, 'reason'],
    [{ action: 'scale_up', key: 'a b' }, 'key'],
    [{ action: 'scale_up', nodes: 1 }, 'nodes'],
    [[], 'body'],
    ['null', 'body'],
    ['"scale_up"', 'body'],
  ];
  for (const [body, field] of wrong)
    it(`422 names the field ${field}: ${JSON.stringify(body).slice(0, 60)}`, async () => {
      const response = await api.post('/scale', body);
      assert.equal(response.status, 422);
      const { problems } = await problemOf(response);
      assert.deepEqual(
        problems?.map((one) => one.field),
        [field],
      );
      assert.deepEqual(api.done, []);
    });

  it('422 names all that is wrong at once', async () => {
    const { problems } = await problemOf(await api.post('/scale', { action: 'x', count: 0, z: 1 }));
    assert.deepEqual(problems?.map(({ field }) => field).sort(), ['action', 'count', 'z']);
  });

  it('checks the query of the history', async () => {
    assert.equal((await api.fetch('/history?limit=5&since=2026-01-31T12:00:00Z')).status, 200);
    for (const query of [
      'limit=0',
      'limit=1001',
      'limit=x',
      'limit=1&limit=2',
      'since=yesterday',
      'from=1',
    ])
      assert.equal((await api.fetch(`/history?${query}`)).status, 422, query);
  });

  it('refuses what is no JSON, not declared as JSON, or too large', async () => {
    assert.equal((await api.post('/scale', '{"action":')).status, 400);
    assert.equal((await api.post('/scale', UP, { 'content-type': 'text/plain' })).status, 415);
    assert.equal((await api.post('/scale', UP, { 'content-encoding': 'strange' })).status, 415);
    assert.equal((await api.post('/scale', { reason: 'x'.repeat(20_000) })).status, 413);
    assert.deepEqual(api.done, []);
    assert.deepEqual(api.failures, []);
  });

  it('knows other methods from other paths', async () => {
    const response = await api.fetch('/scale');
    assert.equal(response.status, 405);
    assert.equal(response.headers.get('allow'), 'POST');
    assert.equal((await api.post('/health')).status, 405);
    assert.equal((await api.fetch('/nothing')).status, 404);
    assert.equal((await api.fetch('/%ff')).status, 404);
  });

  it('knows each path by one name only', async () => {
    for (const path of ['/SCALE', '/scale/', '/Scale', '//scale', '/%73cale'])
      assert.equal((await api.post(path, UP)).status, 404, path);
    for (const path of ['/Health', '/health/', '/nodes/Metrics'])
      assert.equal((await api.fetch(path)).status, 404, path);
    assert.deepEqual(api.done, []);
  });

  it('says why it is not done, and 503 where something is away, without its words', async () => {
    api.next = refusal();
    const refused = await api.post('/scale', UP);
    assert.equal(refused.status, 409);
    assert.equal((await problemOf(refused)).error, 'there are 6 of at most 6');
    api.next = new Error('redis://:secret@redis is away');
    const failed = await api.post('/scale', UP);
    assert.equal(failed.status, 503);
    assert.doesNotMatch(await failed.text(), /secret/);
    assert.deepEqual(api.failures, ['POST /scale']);
  });

  describe('/scale with a key', () => {
    const keyed = (body: unknown, key = 'k') =>
      api.post('/scale', body, { 'idempotency-key': key });

    it('is done once, and answered the same', async () => {
      const [first, second] = [await keyed(UP), await keyed(UP)];
      assert.deepEqual([first.status, second.status], [202, 202]);
      assert.deepEqual(await first.json(), await second.json());
      assert.equal(second.headers.get('idempotency-replayed'), 'true');
      const inBody = await api.post('/scale', { ...UP, key: 'k' });
      assert.equal(inBody.headers.get('idempotency-replayed'), 'true');
      assert.deepEqual(api.done, [UP]);
      await keyed(UP, 'another');
      assert.equal(api.done.length, 2);
    });

    it('is done once when many ask at the same time', async () => {
      const all = await Promise.all(Array.from({ length: 20 }, () => keyed(UP)));
      assert.deepEqual(api.done, [UP]);
      assert.ok(all.every(({ status }) => status === 202 || status === 409));
    });

    it('is refused for another request, and not taken by one that was refused', async () => {
      await keyed(UP);
      assert.equal((await keyed({ ...UP, count: 3 })).status, 409);
      api.next = refusal();
      assert.equal((await keyed(UP, 'later')).status, 409);
      assert.equal((await keyed(UP, 'later')).status, 202);
      assert.equal((await keyed({ action: 'x' }, 'bad')).status, 422);
      assert.equal((await keyed(UP, 'bad')).status, 202);
    });

    it('whose outcome is not known is not done again', async () => {
      api.next = new Error('away');
      assert.equal((await keyed(UP)).status, 503);
      assert.equal((await keyed(UP)).status, 409);
      assert.deepEqual(api.done, []);
    });

    it('must be a key, and the same in header and body', async () => {
      assert.equal((await keyed(UP, 'x'.repeat(129))).status, 422);
      assert.equal((await keyed({ ...UP, key: 'other' })).status, 422);
    });
  });

  it('500 hostile requests change nothing, and it stays well', async () => {
    const body = fc.oneof(fc.json(), fc.string(), fc.constant('['.repeat(2000)));
    const path = fc.constantFrom('/scale', '/cycle', '/stop', '/reconciliation/trigger', '/x', '/');
    const authorization = fc.constantFrom('', 'Bearer no', `Bearer ${TOKEN}`);
    const type = fc.constantFrom('application/json', 'text/plain', 'x');
    await fc.assert(
      fc.asyncProperty(path, body, authorization, type, async (where, content, token, kind) => {
        const before = api.done.length;
        const response = await api.post(where, content, {
          ...{ authorization: token, 'content-type': kind },
        });
        await response.arrayBuffer();
        // `{}` and nothing at all are right for all but /scale.
        const right = content === '{}' || content === '';
        if (right && token.endsWith(TOKEN) && where !== '/scale') return;
        assert.ok(response.status >= 400 && response.status < 500, `${response.status} ${content}`);
        assert.equal(api.done.length, before);
      }),
      { seed: 42, numRuns: 500 },
    );
    assert.equal((await api.fetch('/health')).status, 200);
    assert.deepEqual(api.failures, []);
  });

  it('describes itself by the schemas that check the requests', async () => {
    const document = (await (await api.fetch('/openapi.json')).json()) as {
      openapi: string;
      paths: Record<string, Record<string, Record<string, unknown>>>;
    };
    assert.match(document.openapi, /^3\.1/);
    assert.equal(Object.keys(document.paths).length, 14);
    const scale = document.paths['/scale']?.['post'] as {
      security: unknown;
      requestBody: { content: Record<string, { schema: Record<string, unknown> }> };
      responses: Record<string, unknown>;
    };
    assert.deepEqual(scale.security, [{ token: [] }, { header: [] }]);
    const schema = scale.requestBody.content['application/json']?.schema;
    assert.deepEqual(schema?.['required'], ['action']);
    assert.equal(schema?.['additionalProperties'], false);
    const { count } = schema?.['properties'] as { count: Record<string, unknown> };
    assert.deepEqual([count['minimum'], count['maximum'], count['default']], [1, 100, 1]);
    for (const status of ['202', '401', '409', '413', '415', '422'])
      assert.ok(status in scale.responses, status);
    assert.equal(document.paths['/health']?.['get']?.['security'], undefined);
  });
});
