import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { paths } from './paths';
import { run } from './run';

/** A certificate and its key, as PEM text. */
export interface KeyPair {
  cert: string;
  key: string;
}

/** What a certificate is for. */
export interface CertificateRequest {
  commonName: string;
  organization?: string;
  /** DNS names and addresses; a certificate with some is a server's, one without a client's. */
  sans?: readonly string[];
  /** For a server that is its peers' client with the same certificate. */
  isPeer?: boolean;
}

const file = (name: string): string => `${paths.pki}/${name}`;
const days = '3650';
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc'];

/** OpenSSL's own defaults would make every certificate an authority. */
const config = '[req]\ndistinguished_name=dn\nprompt=no\n[dn]\nCN=unused\n';

async function openssl(name: string, args: readonly string[]): Promise<void> {
  // Made aside and moved, so that a crash leaves no certificate without its key.
  const part = `${file(name)}.${randomUUID()}`;
  await run('openssl', [
    ...['req', '-x509', '-config', file('openssl.cnf'), '-days', days, ...newKey],
    ...['-keyout', `${part}.key`, '-out', `${part}.crt`, ...args],
  ]);
  await rename(`${part}.key`, file(`${name}.key`));
  await rename(`${part}.crt`, file(`${name}.crt`));
}

async function authority(name: string): Promise<void> {
  if (existsSync(file(`${name}.crt`))) return;
  await openssl(name, [
    ...['-subj', `/CN=${name}@${Date.now()}`],
    ...['-addext', 'basicConstraints=critical,CA:true'],
    ...['-addext', 'keyUsage=critical,digitalSignature,keyEncipherment,keyCertSign'],
  ]);
}

function isAddress(san: string): boolean {
  return /^\d+\.\d+\.\d+\.\d+$/.test(san) || san.includes(':');
}

/** Signs a fresh certificate and leaves it in NAME.crt and NAME.key of the PKI folder. */
export async function issue(name: string, request: CertificateRequest, ca = 'ca'): Promise<void> {
  const subject =
    (request.organization ? `/O=${request.organization}` : '') + `/CN=${request.commonName}`;
  const sans = (request.sans ?? []).map((san) => `${isAddress(san) ? 'IP' : 'DNS'}:${san}`);
  const usage = request.isPeer
    ? 'serverAuth,clientAuth'
    : sans.length > 0
      ? 'serverAuth'
      : 'clientAuth';
  await openssl(name, [
    ...['-CA', file(`${ca}.crt`), '-CAkey', file(`${ca}.key`), '-subj', subject],
    ...['-addext', 'basicConstraints=critical,CA:false'],
    ...['-addext', 'keyUsage=critical,digitalSignature,keyEncipherment'],
    ...['-addext', `extendedKeyUsage=${usage}`],
    ...(sans.length > 0 ? ['-addext', `subjectAltName=${sans.join(',')}`] : []),
  ]);
}

/** Reads NAME.crt and NAME.key of the PKI folder. */
export async function readPair(name: string): Promise<KeyPair> {
  const [cert, key] = await Promise.all([
    readFile(file(`${name}.crt`), 'utf8'),
    readFile(file(`${name}.key`), 'utf8'),
  ]);
  return { cert, key };
}

/** Signs a certificate that is kept nowhere here: the other side's. */
export async function issueAway(request: CertificateRequest): Promise<KeyPair> {
  const name = `away-${randomUUID()}`;
  try {
    await issue(name, request);
    return await readPair(name);
  } finally {
    await Promise.all(
      [`${name}.crt`, `${name}.key`].map((part) => rm(file(part), { force: true })),
    );
  }
}

/**
 * Makes what the control plane needs: the authorities and the service account key once (they are on
 * the data volume, so a restart keeps them), all else anew, since addresses may have changed.
 * @param sans names and addresses by which the API server is reached.
 */
export async function ensurePki(sans: readonly string[]): Promise<void> {
  await mkdir(paths.pki, { recursive: true, mode: 0o700 });
  await writeFile(file('openssl.cnf'), config);
  await Promise.all([authority('ca'), authority('request-header-ca'), serviceAccountKey()]);
  const masters = 'system:masters';
  await Promise.all([
    issue('apiserver', { commonName: 'kube-apiserver', sans }),
    issue('apiserver-kubelet-client', {
      commonName: 'system:kube-apiserver',
      organization: masters,
    }),
    issue('admin', { commonName: 'system:admin', organization: masters }),
    issue('controller-manager', { commonName: 'system:kube-controller-manager' }),
    issue('scheduler', { commonName: 'system:kube-scheduler' }),
    issue('front-proxy-client', { commonName: 'system:auth-proxy' }, 'request-header-ca'),
  ]);
}

/** Makes what a member of etcd needs, by which it also reaches the others. */
export async function ensureEtcdPki(address: string): Promise<void> {
  await authority(ETCD_CA);
  const sans = [address, '127.0.0.1', 'localhost'];
  await Promise.all([
    issue('etcd', { commonName: 'etcd', sans, isPeer: true }, ETCD_CA),
    issue('etcd-client', { commonName: 'etcd-client' }, ETCD_CA),
  ]);
}

const ETCD_CA = 'etcd-ca';

/** What all servers of a cluster have alike, and nothing else does. */
const SHARED = [
  ...['ca', 'request-header-ca', ETCD_CA].flatMap((name) => [`${name}.crt`, `${name}.key`]),
  'service-account.key',
];

/** The authorities and keys that a joining server must have: file name -> text. */
export async function sharedPki(): Promise<Record<string, string>> {
  const texts = SHARED.map(async (name) => [name, await readFile(file(name), 'utf8')] as const);
  return Object.fromEntries(await Promise.all(texts));
}

/** Takes them over from a server. @throws Error where one is missing */
export async function takeSharedPki(files: Readonly<Record<string, string>>): Promise<void> {
  for (const name of SHARED) {
    const text = files[name];
    if (text === undefined) throw new Error(`the server did not send ${name}`);
    await writePrivate(file(name), text);
  }
}

async function serviceAccountKey(): Promise<void> {
  if (existsSync(file('service-account.key'))) return;
  const part = file(`service-account.key.${randomUUID()}`);
  // In SEC 1 form: of the other, the API server cannot read the public half.
  await run('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', part]);
  await rename(part, file('service-account.key'));
}

/** Hash of a CA certificate as it stands in a full k3s token: K10HASH::server:SECRET. */
export function caHash(ca: string): string {
  return createHash('sha256').update(ca).digest('hex');
}

/** Writes a file that only root may read, and its folder; it appears whole or not at all. */
export async function writePrivate(path: string, text: string, mode = 0o600): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.part`, text, { mode });
  await rename(`${path}.part`, path);
}
