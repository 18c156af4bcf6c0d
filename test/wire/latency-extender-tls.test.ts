import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { Authority, type KeyPair } from './support/certificates';
import { eventually } from './support/kube';
import { LatencySystem, LIMIT_MS } from './support/latency-system';
import { temporaryFolder } from './support/service-process';

const TRUSTED = 'trusted';

describe('latency-extender over TLS with real kube-schedulers', function () {
  this.timeout(600_000);
  let system: LatencySystem;
  let authority: Authority;
  let stranger: Authority;
  let folder: string;

  /** Files like those of a Secret in a pod. */
  const files = async (name: string, pair: KeyPair, ca: string) => {
    const own = path.join(folder, name);
    await mkdir(own, { recursive: true });
    const [cert, key, caFile] = ['tls.crt', 'tls.key', 'ca.crt'].map((file) =>
      path.join(own, file),
    ) as [string, string, string];
    await writeFile(key, pair.key);
    await writeFile(cert, pair.cert);
    await writeFile(caFile, ca);
    return { cert, key, ca: caFile };
  };
  const client = (by: Authority) => by.issue('scheduler', 'clientAuth');
  const logged = (what: string) =>
    eventually(`its log says ${what}`, async () => system.extender.log().includes(what), LIMIT_MS);

  before(async () => {
    [authority, stranger, folder] = await Promise.all([
      Authority.create('extender-authority'),
      Authority.create('another-authority'),
      temporaryFolder('extender-tls'),
    ]);
    const { cert, key, ca } = await files(
      'server',
      await authority.issue('first', 'serverAuth'),
      authority.cert,
    );
    system = await LatencySystem.start(
      TRUSTED,
      { TLS_CERT_FILE: cert, TLS_KEY_FILE: key, TLS_CLIENT_CA_FILE: ca },
      authority.cert,
    );
    await system.ready();
    const startScheduler = async (name: string, pair: KeyPair, knows: Authority) =>
      system.startScheduler(name, { tls: await files(name, pair, knows.cert) });
    await startScheduler(TRUSTED, await client(authority), authority);
    await startScheduler('unknown', await client(stranger), authority);
    await startScheduler('distrustful', await client(authority), stranger);
  });
  afterEach(function () {
    if (this.currentTest?.state === 'failed')
      process.stderr.write(`${system?.extender.log() ?? ''}\n`);
  });
  after(async () => {
    await system?.stop();
    await Promise.all([authority?.remove(), stranger?.remove()]);
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  /** A connection as a client without a certificate has it. */
  const connection = (session?: Buffer): Promise<TLSSocket> =>
    new Promise((resolve, reject) => {
      const { hostname: host, port } = new URL(system.url);
      const socket = connect(
        { host, port: Number(port), ca: authority.cert, ...(session && { session }) },
        () => resolve(socket),
      ).once('error', reject);
    });
  /** The answer to a question on it, once the whole of it is there: the extender closes it. */
  const ask = async (socket: TLSSocket): Promise<string> => {
    socket.write('POST /filter HTTP/1.1\r\nHost: extender\r\nContent-Length: 2\r\n\r\n{}');
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    return answer;
  };

  it('places a pod for a kube-scheduler that its authority has signed', async () => {
    await system.create('first', TRUSTED);
    const node = await system.bound('first');
    assert.equal((await system.explained('first')).prioritize?.best, node);
  });

  it('refuses a kube-scheduler of another authority, whose pod says where it was refused', async () => {
    await system.create('second', 'unknown');
    const { note } = await system.event('FailedScheduling', 'second');
    assert.match(note, /https:\/\/127\.0\.0\.1:\d+\/filter, code 401/);
    await logged('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    assert.equal(await system.node('second'), undefined);
  });

  it('takes the same kube-scheduler once its certificate is another, without a restart of either', async () => {
    await files('unknown', await client(authority), authority.cert);
    await system.bound('second');
  });

  it('is refused by a kube-scheduler that does not know its authority', async () => {
    await system.create('third', 'distrustful');
    const { note } = await system.event('FailedScheduling', 'third');
    assert.match(note, /x509: certificate signed by unknown authority/);
    assert.equal(await system.node('third'), undefined);
  });

  it('answers nobody without a certificate but on /state, /explain and to probes, also when a session is resumed', async () => {
    const first = await connection();
    const session = new Promise<Buffer>((resolve) => first.once('session', resolve));
    const why = /^HTTP\/1\.1 401[^]*client certificate: none was shown/;
    assert.match(await ask(first), why);
    const second = await connection(await session);
    assert.equal(second.isSessionReused(), true);
    assert.match(await ask(second), why);
    await logged('none was shown');
    for (const route of ['/state', '/healthz']) assert.ok(await system.get(route));
  });

  it('takes up a certificate that was renewed, and goes on with the one it has while the files do not match', async () => {
    const shown = async () => {
      const socket = await connection();
      const { CN } = socket.getPeerCertificate().subject;
      socket.destroy();
      return CN;
    };
    const { cert, key } = await authority.issue('renewed', 'serverAuth');
    await writeFile(path.join(folder, 'server', 'tls.key'), key);
    await logged('the files cannot be used');
    assert.equal(await shown(), 'first');
    await writeFile(path.join(folder, 'server', 'tls.crt'), cert);
    await eventually(
      'the renewed one is shown',
      async () => (await shown()) === 'renewed',
      LIMIT_MS,
    );
    await system.create('fourth', TRUSTED);
    await system.bound('fourth');
  });
});
