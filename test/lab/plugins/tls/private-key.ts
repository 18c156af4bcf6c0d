import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  webcrypto,
} from 'node:crypto';
import { z } from 'zod';
import { secret, type Props, type ResourceType } from '../shared';
import { schemaFailures } from '../shared/input-schema';

/** Curves as the provider names them, and OpenSSL. */
const CURVES = { P256: 'prime256v1', P384: 'secp384r1', P521: 'secp521r1' } as const;
/** The same as Web Crypto names them. */
const WEB_CURVES: Readonly<Record<string, string>> = {
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
};

const schema = z.strictObject({
  algorithm: z.literal('ECDSA', { error: 'the lab makes ECDSA keys only' }),
  ecdsaCurve: z.enum(Object.keys(CURVES) as (keyof typeof CURVES)[]),
});

/** How the provider identifies what it made: by a hash of it. */
export const idOf = (text: string): string => createHash('sha1').update(text).digest('hex');

/** `tls:index/privateKey:PrivateKey`: made once; any other input is another key. */
export const privateKey: ResourceType = {
  check: async ({ news }, { type }) => ({
    inputs: news,
    failures: schemaFailures(schema, news, type),
  }),
  async create({ inputs }) {
    const { ecdsaCurve } = schema.parse(inputs);
    const made = generateKeyPairSync('ec', { namedCurve: CURVES[ecdsaCurve] });
    const publicKeyPem = String(made.publicKey.export({ type: 'spki', format: 'pem' }));
    const key = (type: 'sec1' | 'pkcs8') =>
      secret(String(made.privateKey.export({ type, format: 'pem' })));
    const outputs: Props = {
      ...inputs,
      publicKeyPem,
      privateKeyPem: key('sec1'),
      privateKeyPemPkcs8: key('pkcs8'),
    };
    return { id: idOf(publicKeyPem), outputs };
  },
  read: (state) => Promise.resolve(state),
};

/** A pair of keys, from the private one, for Web Crypto. @throws when it is not an ECDSA key of a known curve. */
export async function webKeys(pem: string): Promise<webcrypto.CryptoKeyPair> {
  const key = createPrivateKey(pem);
  const namedCurve = WEB_CURVES[key.asymmetricKeyDetails?.namedCurve ?? ''];
  if (key.asymmetricKeyType !== 'ec' || namedCurve === undefined)
    throw new Error('the lab signs with ECDSA keys of P256, P384 or P521 only');
  const algorithm = { name: 'ECDSA', namedCurve };
  const { subtle } = webcrypto;
  return {
    privateKey: await subtle.importKey(
      'pkcs8',
      key.export({ type: 'pkcs8', format: 'der' }),
      algorithm,
      false,
      ['sign'],
    ),
    publicKey: await subtle.importKey(
      'spki',
      createPublicKey(key).export({ type: 'spki', format: 'der' }),
      algorithm,
      true,
      ['verify'],
    ),
  };
}
