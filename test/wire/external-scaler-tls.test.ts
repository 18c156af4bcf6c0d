import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { connect } from 'node:tls';
import { credentials, status } from '@grpc/grpc-js';
import { Authority, type KeyPair } from './support/certificates';
import { ScalerPlane, ScalerProcess } from './support/external-scaler';
import { FakePrometheus } from './support/fake-prometheus';
import { createNode, eventually } from './support/kube';
import { ScalerClient } from './support/scaler-client';
import { temporaryFolder } from './support/service-process';

const LIMIT_MS = 600_000;

describe('external-scaler with TLS', function () {
  this.timeout(1_800_000);
  let plane: ScalerPlane;
  let prometheus: FakePrometheus;
  let scaler: ScalerProcess;
  let authority: Authority;
  let stranger: Authority;
  let folder: string;

  before(async () => {
    [plane, prometheus] = await Promise.all([ScalerPlane.start(), FakePrometheus.start()]);
    [authority, stranger] = await Promise.all([
      Authority.create('scaler-authority'),
      Authority.create('another-authority'),
    ]);
    prometheus.ratios.set('node-1', 0.1);
    await createNode(plane.api, { name: 'node-1', labels: { 'posture/eligible': 'true' } });
    await plane.scaledJob('one');
    folder = await temporaryFolder('scaler-tls');
    const { cert, key } = await authority.issue('server', 'serverAuth');
    const file = async (name: string, text: string): Promise<string> => {
      const at = path.join(folder, name);
      await writeFile(at, text);
      return at;
    };
    scaler = await ScalerProcess.start({
      KUBECONFIG: plane.kubeconfig,
      PROM_URL: prometheus.url,
      TLS_CERT_FILE: await file('tls.crt', cert),
      TLS_KEY_FILE: await file('tls.key', key),
      TLS_CLIENT_CA_FILE: await file('ca.crt', authority.cert),
    });
  });
  after(async () => {
    await scaler?.stop();
    await prometheus?.stop();
    await plane?.stop();
    await Promise.all([authority?.remove(), stranger?.remove()]);
    if (folder) await rm(folder, { recursive: true });
  });

  const learn = (by: Authority, own?: KeyPair): Promise<ScalerClient> =>
    ScalerClient.learn(
      scaler.grpcPort,
      credentials.createSsl(
        Buffer.from(by.cert),
        own && Buffer.from(own.key),
        own && Buffer.from(own.cert),
      ),
    );
  const refused = { code: status.UNAVAILABLE };
  const unauthenticated = { code: status.UNAUTHENTICATED, details: /tlsClientCert/ };

  it('serves a client that its authority has signed', async () => {
    const client = await learn(authority, await authority.issue('client', 'clientAuth'));
    await eventually('a berth is free', async () => (await client.metric('one')) === 1, LIMIT_MS);
    assert.equal(await client.isActive('one'), true);
    client.close();
  });

  /** Says what it offers and the name of its metric, which tells nothing, and refuses all else. */
  const tellsNothing = async (client: ScalerClient) => {
    try {
      await assert.rejects(client.metric('one'), unauthenticated);
      await assert.rejects(client.isActive('one'), unauthenticated);
    } finally {
      client.close();
    }
  };

  it('refuses a client with a certificate of another authority', async () => {
    await tellsNothing(await learn(authority, await stranger.issue('client', 'clientAuth')));
  });

  it('refuses a client without a certificate', async () => {
    await tellsNothing(await learn(authority));
  });

  it('refuses a client whose certificate is that of a server', async () => {
    await tellsNothing(await learn(authority, await authority.issue('other', 'serverAuth')));
  });

  it('takes up a certificate that was renewed', async () => {
    const { cert, key } = await authority.issue('renewed', 'serverAuth');
    await writeFile(path.join(folder, 'tls.key'), key);
    await writeFile(path.join(folder, 'tls.crt'), cert);
    await eventually(
      'the renewed certificate',
      async () => (await shownName(scaler.grpcPort, authority.cert)) === 'renewed',
      LIMIT_MS,
    );
    const client = await learn(authority, await authority.issue('client', 'clientAuth'));
    await assert.doesNotReject(client.metric('one'));
    client.close();
  });

  it('refuses a client that speaks plain text', async () => {
    await assert.rejects(ScalerClient.learn(scaler.grpcPort), refused);
  });

  it('is refused by a client that does not know its authority', async () => {
    await assert.rejects(learn(stranger, await authority.issue('client', 'clientAuth')), refused);
  });
});

/** Common name of the certificate that a server on 127.0.0.1 shows. */
const shownName = (port: number, ca: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, ca, ALPNProtocols: ['h2'] }, () => {
      const name = String(socket.getPeerCertificate().subject.CN);
      socket.destroy();
      resolve(name);
    });
    socket.once('error', reject);
  });
