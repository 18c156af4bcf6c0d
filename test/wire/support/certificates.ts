import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { run } from '../../lab/exec';

/** A certificate and its key, as PEM text. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** OpenSSL's own defaults would make every certificate an authority. */
const CONFIG = '[req]\ndistinguished_name=dn\nprompt=no\n[dn]\nCN=unused\n';
const ADDRESS = 'IP:127.0.0.1';

/** An authority of a test's own, in a folder that goes with it. */
export class Authority {
  private constructor(
    private readonly folder: string,
    /** Its certificate, as PEM text. */
    readonly cert: string,
  ) {}

  static async create(name: string): Promise<Authority> {
    const folder = await mkdtemp(path.join(tmpdir(), 'berth-authority-'));
    await writeFile(path.join(folder, 'openssl.cnf'), CONFIG);
    const { cert } = await make(folder, 'ca', [
      ...['-subj', `/CN=${name}`],
      ...['-addext', 'basicConstraints=critical,CA:true'],
      ...['-addext', 'keyUsage=critical,digitalSignature,keyCertSign'],
    ]);
    return new Authority(folder, cert);
  }

  /** A certificate for a server on 127.0.0.1, or for a client. */
  issue(commonName: string, use: 'serverAuth' | 'clientAuth'): Promise<KeyPair> {
    return make(this.folder, commonName, [
      ...['-CA', path.join(this.folder, 'ca.crt'), '-CAkey', path.join(this.folder, 'ca.key')],
      ...['-subj', `/CN=${commonName}`, '-addext', 'basicConstraints=critical,CA:false'],
      ...['-addext', 'keyUsage=critical,digitalSignature', '-addext', `extendedKeyUsage=${use}`],
      ...(use === 'serverAuth' ? ['-addext', `subjectAltName=${ADDRESS}`] : []),
    ]);
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}

async function make(folder: string, name: string, args: readonly string[]): Promise<KeyPair> {
  const file = (kind: string) => path.join(folder, `${name}.${kind}`);
  await run('openssl', [
    ...['req', '-x509', '-config', path.join(folder, 'openssl.cnf'), '-days', '2'],
    ...['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc'],
    ...['-keyout', file('key'), '-out', file('crt'), ...args],
  ]);
  return {
    cert: await readFile(file('crt'), 'utf8'),
    key: await readFile(file('key'), 'utf8'),
  };
}
