import { gzipSync } from 'node:zlib';
import fc from 'fast-check';

/** A request that is malformed or hostile, and the status that is right for it. */
export interface Hostile {
  /** What is wrong with it. */
  readonly kind: string;
  readonly status: number;
  readonly bytes: Buffer;
  /** Whether the API itself answers, and not the HTTP parser before it. */
  readonly byApi: boolean;
}

interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
}
interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly schema: Schema;
}
interface Described {
  readonly security?: readonly unknown[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { schema: Schema }>> };
}
/** An OpenAPI document, as far as it matters here. */
export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
}

/** What the API knows already. */
export interface Known {
  readonly token: string;
  /** A key that was used, the body that it was used with, and where. */
  readonly used: { readonly path: string; readonly key: string; readonly body: object };
}

type Header = readonly [string, string];
/** Larger than any body that is taken. */
const OVERSIZE = 17 * 1024;
const JSON_TYPE: Header = ['Content-Type', 'application/json'];
const VERBS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'LOCK'];

const NOT_JSON: readonly (readonly Header[])[] = [
  [],
  ...[
    ...['', 'text/plain', 'application/x-json', 'application/json, text/html'],
    ...['multipart/form-data; boundary=x', 'application/json; charset=latin1'],
  ].map((type): Header[] => [['Content-Type', type]]),
  [JSON_TYPE, ['Content-Encoding', 'strange']],
];

/** Malformed and hostile requests to everything that the document describes. */
export function hostileRequests({ paths }: OpenApi, known: Known): fc.Arbitrary<Hostile> {
  const all = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([verb, operation]) => ({ path, verb, operation })),
  );
  const guarded = all.filter(({ operation }) => operation.security !== undefined);
  const withBody = guarded.flatMap(({ path, operation }) => {
    const schema = operation.requestBody?.content['application/json']?.schema;
    return schema === undefined ? [] : [{ path, schema }];
  });
  const withQuery = all.flatMap(({ path, operation }) => {
    const query = (operation.parameters ?? []).filter((one) => one.in === 'query');
    return query.length === 0 ? [] : [{ path, query }];
  });
  const token: Header = ['Authorization', `Bearer ${known.token}`];
  const post = (path: string, body: string | Buffer, headers: readonly Header[] = []) =>
    request('POST', path, [token, JSON_TYPE, ...headers], body);
  const anyBody = fc.oneof(fc.json(), fc.string());
  const toGuarded = fc.constantFrom(...guarded.map(({ path }) => path));
  const { used } = known;

  return fc.oneof(
    of('an unknown path', 404, unknownPath(Object.keys(paths)), (path) => request('GET', path, [])),
    of(
      'an unknown method of a known path',
      405,
      fc
        .tuple(fc.constantFrom(...Object.keys(paths)), fc.constantFrom(...VERBS))
        .filter(([path, verb]) => paths[path]?.[verb.toLowerCase()] === undefined),
      ([path, verb]) => request(verb, path, [token]),
    ),
    of(
      'no token, or another one',
      401,
      fc.tuple(toGuarded, wrongTokens(known.token), anyBody),
      ([path, headers, body]) => request('POST', path, [...headers, JSON_TYPE], body),
    ),
    of(
      'a body that is not declared as JSON',
      415,
      fc.tuple(
        toGuarded,
        fc.constantFrom(...NOT_JSON),
        anyBody.filter((body) => body !== ''),
      ),
      ([path, headers, body]) => request('POST', path, [token, ...headers], body),
    ),
    of(
      'a body that is no JSON',
      400,
      fc.tuple(toGuarded, fc.oneof(fc.string({ minLength: 1 }), torn()).filter(isNoJson)),
      ([path, body]) => post(path, body),
    ),
    of('a body that is not compressed as it says', 400, toGuarded, (path) =>
      post(path, '{}', [['Content-Encoding', 'gzip']]),
    ),
    of(
      'a body that is too large',
      413,
      fc.tuple(toGuarded, fc.integer({ min: OVERSIZE, max: 4 * OVERSIZE }), fc.nat(2)),
      ([path, size, how]) => {
        const body = Buffer.from(JSON.stringify({ reason: 'x'.repeat(size) }));
        if (how === 0) return post(path, body);
        if (how === 1) return post(path, gzipSync(body), [['Content-Encoding', 'gzip']]);
        return chunked(path, body, [token, JSON_TYPE]);
      },
    ),
    of(
      'wrong fields',
      422,
      fc.oneof(
        ...withBody.map(({ path, schema }) =>
          wrongBody(schema).map((body) => ({ path, body: JSON.stringify(body) })),
        ),
        // JSON.stringify would leave it out.
        fc.constant({
          path: used.path,
          body: JSON.stringify(used.body).replace('{', '{"__proto__":{"count":9},'),
        }),
      ),
      ({ path, body }) => post(path, body),
    ),
    of(
      'a wrong query',
      422,
      fc.oneof(
        ...withQuery.map(({ path, query }) =>
          wrongQuery(query).map((text) => ({ path, text: text.toString() })),
        ),
      ),
      ({ path, text }) => request('GET', `${path}?${text}`, []),
    ),
    of('a key that is none', 422, wrongKeys(), (headers) =>
      post(used.path, JSON.stringify(used.body), headers),
    ),
    of('another key in the header than in the body', 422, fc.nat(), (n) =>
      post(used.path, JSON.stringify({ ...used.body, key: `b${n}` }), [
        ['Idempotency-Key', used.key],
      ]),
    ),
    of('a replay', 202, fc.boolean(), (inBody) =>
      inBody
        ? post(used.path, JSON.stringify({ ...used.body, key: used.key }))
        : post(used.path, JSON.stringify(used.body), [['Idempotency-Key', used.key]]),
    ),
    of('a used key for something else', 409, fc.integer({ min: 2, max: 100 }), (count) =>
      post(used.path, JSON.stringify({ ...used.body, count }), [['Idempotency-Key', used.key]]),
    ),
    of('what cannot be done now', 409, fc.integer({ min: 1, max: 100 }), (count) =>
      post(used.path, JSON.stringify({ ...used.body, count })),
    ),
    headerAbuse(known.token),
  );
}

function of<T>(
  kind: string,
  status: number,
  of: fc.Arbitrary<T>,
  bytes: (value: T) => Buffer,
): fc.Arbitrary<Hostile> {
  return of.map((value) => ({ kind, status, bytes: bytes(value), byApi: true }));
}

function request(
  verb: string,
  path: string,
  headers: readonly Header[],
  body: string | Buffer = '',
): Buffer {
  const content = Buffer.from(body);
  const lines = [
    `${verb} ${path} HTTP/1.1`,
    'Host: autoscaler',
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...(content.length > 0 ? [`Content-Length: ${content.length}`] : []),
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), content]);
}

function chunked(path: string, body: Buffer, headers: readonly Header[]): Buffer {
  const head = request('POST', path, [...headers, ['Transfer-Encoding', 'chunked']]);
  const size = Buffer.from(`${body.length.toString(16)}\r\n`);
  return Buffer.concat([head, size, body, Buffer.from('\r\n0\r\n\r\n')]);
}

/** Paths that the document has not got, among them such as look like those that it has. */
function unknownPath(known: readonly string[]): fc.Arbitrary<string> {
  const part = fc.stringMatching(/^[a-z0-9._~%-]{1,12}$/);
  const alike = fc.constantFrom(...known.filter((path) => path !== '/'));
  return fc
    .oneof(
      fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join('/')}`),
      alike.map((path) => path.toUpperCase()),
      alike.map((path) => `${path}/`),
      alike.map((path) => `/..${path}`),
      alike.map((path) => `/.${path}`),
      alike.map((path) => `${path}%00`),
      alike.map((path) => `/%${path.charCodeAt(1).toString(16)}${path.slice(2)}`),
    )
    .filter((path) => !known.includes(path) && path !== '/openapi.json');
}

function wrongTokens(token: string): fc.Arbitrary<readonly Header[]> {
  const values = fc.oneof(
    fc.constantFrom('', 'Bearer', 'Bearer ', `Basic ${token}`, token, `Bearer ${token}x`),
    fc.constantFrom(`Bearer x${token}`, `Bearer ${token.slice(1)}`, `Bearer ${token} ${token}`),
    fc.constantFrom(`Bearer ${token.toUpperCase()}`, `Bearer\t${token}`, 'Bearer null'),
    fc.stringMatching(/^[\x21-\x7e]{0,60}$/).map((text) => `Bearer ${text}`),
  );
  const one = (value: string): Header => ['Authorization', value];
  return fc.oneof<fc.Arbitrary<readonly Header[]>[]>(
    fc.constant([]),
    values.map((value) => [one(value)]),
    // The first counts.
    fc.constant([one('Bearer wrong'), one(`Bearer ${token}`)]),
    fc.constant<readonly Header[]>([['X-Authorization', `Bearer ${token}`]]),
  );
}

const isNoJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return false;
  } catch {
    return true;
  }
};
/** JSON that ends too early, or goes too deep. */
const torn = (): fc.Arbitrary<string> =>
  fc.oneof(
    fc.tuple(fc.json(), fc.nat()).map(([text, at]) => text.slice(0, 1 + (at % text.length))),
    fc.integer({ min: 1, max: 8000 }).map((depth) => '['.repeat(depth)),
  );

/** Values that are not of a schema. */
function wrongValue(schema: Schema): fc.Arbitrary<unknown> {
  return fc
    .oneof(
      fc.jsonValue(),
      fc.constantFrom<unknown>(null, true, '', [], {}, -1, 0, 1.5, 1e308, '1', 'NaN'),
      ...(schema.maximum === undefined ? [] : [fc.integer({ min: schema.maximum + 1 })]),
      ...(schema.minimum === undefined ? [] : [fc.integer({ max: schema.minimum - 1 })]),
      ...(schema.maxLength === undefined
        ? []
        : [fc.constant('x'.repeat(schema.maxLength + 1)), fc.constant('ö'.repeat(4000))]),
    )
    .filter((value) => !conforms(value, schema));
}

function conforms(value: unknown, schema: Schema): boolean {
  if (schema.enum !== undefined) return schema.enum.includes(value);
  if (schema.type === 'integer')
    return (
      Number.isSafeInteger(value) &&
      Number(value) >= (schema.minimum ?? -Infinity) &&
      Number(value) <= (schema.maximum ?? Infinity)
    );
  if (schema.type === 'string')
    return (
      typeof value === 'string' &&
      value.length <= (schema.maxLength ?? Infinity) &&
      (schema.pattern === undefined || new RegExp(schema.pattern).test(value)) &&
      (schema.format === undefined || !Number.isNaN(Date.parse(value)))
    );
  throw new Error(`a schema that the test does not know: ${JSON.stringify(schema)}`);
}

/** Bodies that are right but for one thing, or no objects at all. */
function wrongBody({ properties = {}, required = [] }: Schema): fc.Arbitrary<unknown> {
  const right = Object.fromEntries(
    required.map((name) => [name, properties[name]?.enum?.[0] ?? 'x']),
  );
  const isObject = (value: unknown): boolean =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  return fc.oneof(
    ...Object.entries(properties).map(([name, schema]) =>
      wrongValue(schema).map((value) => ({ ...right, [name]: value })),
    ),
    ...required.map((name) =>
      fc.constant(Object.fromEntries(Object.entries(right).filter(([one]) => one !== name))),
    ),
    fc
      .tuple(fc.string(), fc.jsonValue())
      .filter(([name]) => properties[name] === undefined && name !== '__proto__')
      .map(([name, value]) => ({ ...right, [name]: value })),
    fc.jsonValue().filter((value) => !isObject(value)),
    fc.integer({ min: 1, max: 3000 }).map((depth) => {
      let nested: unknown = [];
      for (let left = depth; left > 0; left -= 1) nested = [nested];
      return nested;
    }),
  );
}

function wrongQuery(query: readonly Parameter[]): fc.Arbitrary<URLSearchParams> {
  const names = query.map(({ name }) => name);
  const outOf = ({ type, minimum = 0, maximum = 0 }: Schema) =>
    type === 'integer'
      ? fc.oneof(
          fc.constantFrom(String(minimum - 1), String(maximum + 1), '', '1.5', '-1', 'Infinity'),
          fc.string().filter((text) => Number.isNaN(Number(text))),
        )
      : fc.string().filter((text) => !/\d{4}-\d\d-\d\d/.test(text));
  return fc.oneof(
    ...query.map(({ name, schema }) =>
      outOf(schema).map((text) => new URLSearchParams({ [name]: text })),
    ),
    ...names.map((name) =>
      fc.constant(
        new URLSearchParams([
          [name, '1'],
          [name, '2'],
        ]),
      ),
    ),
    fc
      .stringMatching(/^[a-z[\]]{1,10}$/)
      .filter((name) => !names.includes(name))
      .map((name) => new URLSearchParams({ [name]: '1' })),
  );
}

function wrongKeys(): fc.Arbitrary<readonly Header[]> {
  const keyed = (...keys: string[]): Header[] => keys.map((key) => ['Idempotency-Key', key]);
  const wrong = ['', 'a b', 'x'.repeat(129), 'schlüssel', 'a\tb'];
  return fc.constantFrom(...wrong.map((key) => keyed(key)), keyed('first', 'second'));
}

/** What the HTTP parser refuses before the API sees it. */
function headerAbuse(token: string): fc.Arbitrary<Hostile> {
  const head = ['POST /stop HTTP/1.1', 'Host: a', `Authorization: Bearer ${token}`];
  const with_ = (...lines: string[]): string => [...head, ...lines, '', ''].join('\r\n');
  const abuses: [string, number, string][] = [
    ['a header section that is too large', 431, with_(`X-Large: ${'x'.repeat(20_000)}`)],
    ['many headers', 431, with_(...Array.from({ length: 4000 }, (_, n) => `X-${n}: 1`))],
    ['a length that is no number', 400, with_('Content-Length: many')],
    ['a negative length', 400, with_('Content-Length: -1')],
    ['two lengths', 400, with_('Content-Length: 2', 'Content-Length: 3')],
    ['two ways to tell the length', 400, with_('Content-Length: 2', 'Transfer-Encoding: chunked')],
    [
      'a chunk whose size is no number',
      400,
      `${with_('Content-Type: application/json', 'Transfer-Encoding: chunked')}zz\r\n`,
    ],
    ['a space in the name of a header', 400, with_('X Header: 1')],
    ['a NUL in a header', 400, with_('X-Nul: a\0b')],
    ['a line that is no header', 400, with_('nothing')],
    ['no host', 400, [head[0], head[2], '', ''].join('\r\n')],
    ['a strange expectation', 417, with_('Expect: the-unexpected')],
    ['a strange version of HTTP', 400, 'GET / HTTP/9.9\r\nHost: a\r\n\r\n'],
    ['a method that there is not', 400, 'BREW / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a method in lower case', 400, 'post /stop HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['TLS', 400, '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'],
  ];
  return fc.constantFrom(...abuses).map(([kind, status, text]) => ({
    ...{ kind, status, bytes: Buffer.from(text, 'latin1'), byApi: false },
  }));
}
