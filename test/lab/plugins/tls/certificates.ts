import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { z } from 'zod';
import type { Props, ResourceType } from '../shared';
import { schemaFailures, withoutNulls } from '../shared/input-schema';
import { idOf, webKeys } from './private-key';

const HOUR_MS = 3_600_000;
const SIGNED_WITH = { name: 'ECDSA', hash: 'SHA-256' };

/** Uses as the provider names them: flags of the key, and object identifiers of extended ones. */
const KEY_USES = {
  digital_signature: x509.KeyUsageFlags.digitalSignature,
  key_encipherment: x509.KeyUsageFlags.keyEncipherment,
  cert_signing: x509.KeyUsageFlags.keyCertSign,
  crl_signing: x509.KeyUsageFlags.cRLSign,
} as const;
const EXTENDED_USES = {
  server_auth: x509.ExtendedKeyUsage.serverAuth,
  client_auth: x509.ExtendedKeyUsage.clientAuth,
} as const;

const subject = z.strictObject({
  commonName: z.string().optional(),
  organization: z.string().optional(),
});
const named = { subject: subject.optional(), dnsNames: z.array(z.string()).optional() };
const issued = {
  allowedUses: z.array(z.enum([...keysOf(KEY_USES), ...keysOf(EXTENDED_USES)])),
  validityPeriodHours: z.number().positive(),
  isCaCertificate: z.boolean().optional(),
};
const requestSchema = z.strictObject({ privateKeyPem: z.string(), ...named });
const selfSignedSchema = z.strictObject({ privateKeyPem: z.string(), ...named, ...issued });
const locallySignedSchema = z.strictObject({
  certRequestPem: z.string(),
  caCertPem: z.string(),
  caPrivateKeyPem: z.string(),
  ...issued,
});

/** `tls:index/certRequest:CertRequest`. */
export const certRequest = logical(
  requestSchema,
  async (inputs) => {
    const request = await x509.Pkcs10CertificateRequestGenerator.create({
      name: nameOf(inputs.subject),
      keys: await webKeys(inputs.privateKeyPem),
      signingAlgorithm: SIGNED_WITH,
      extensions: alternativeNames(inputs.dnsNames),
    });
    return { keyAlgorithm: 'ECDSA', certRequestPem: `${request.toString('pem')}\n` };
  },
  'certRequestPem',
);

/** `tls:index/selfSignedCert:SelfSignedCert`. */
export const selfSignedCert = logical(
  selfSignedSchema,
  async (inputs) => {
    const { privateKey, publicKey } = await webKeys(inputs.privateKeyPem);
    const name = nameOf(inputs.subject);
    const certificate = { subject: name, issuer: name, publicKey, signingKey: privateKey };
    const extensions = [
      ...alternativeNames(inputs.dnsNames),
      ...(inputs.isCaCertificate === true
        ? [await x509.SubjectKeyIdentifierExtension.create(publicKey)]
        : []),
    ];
    return { keyAlgorithm: 'ECDSA', ...(await certificateOf(inputs, certificate, extensions)) };
  },
  'certPem',
);

/** `tls:index/locallySignedCert:LocallySignedCert`: what the request asks to be named, and no more. */
export const locallySignedCert = logical(
  locallySignedSchema,
  async (inputs) => {
    const request = new x509.Pkcs10CertificateRequest(inputs.certRequestPem);
    if (!(await request.verify())) throw new Error('certRequestPem is not signed with its own key');
    const authority = new x509.X509Certificate(inputs.caCertPem);
    const { privateKey, publicKey } = await webKeys(inputs.caPrivateKeyPem);
    const identifier = await x509.AuthorityKeyIdentifierExtension.create(publicKey);
    const spki = await webcrypto.subtle.exportKey('spki', publicKey);
    if (!Buffer.from(spki).equals(Buffer.from(authority.publicKey.rawData)))
      throw new Error('caPrivateKeyPem is not the key of caCertPem');
    const names = request.extensions.filter(
      (one) => one instanceof x509.SubjectAlternativeNameExtension,
    );
    return {
      caKeyAlgorithm: 'ECDSA',
      ...(await certificateOf(
        inputs,
        {
          subject: request.subject,
          issuer: authority.subject,
          publicKey: request.publicKey,
          signingKey: privateKey,
        },
        [identifier, ...names],
      )),
    };
  },
  'certPem',
);

interface Names {
  readonly subject: x509.X509CertificateCreateParamsName;
  readonly issuer: x509.X509CertificateCreateParamsName;
  readonly publicKey: x509.PublicKeyType;
  readonly signingKey: webcrypto.CryptoKey;
}

/** Good from now on. */
async function certificateOf(
  inputs: z.infer<z.ZodObject<typeof issued>>,
  names: Names,
  more: readonly x509.Extension[],
) {
  const notBefore = new Date();
  const notAfter = new Date(notBefore.getTime() + inputs.validityPeriodHours * HOUR_MS);
  const flags = keysOf(KEY_USES).filter((use) => inputs.allowedUses.includes(use));
  const extended = keysOf(EXTENDED_USES).filter((use) => inputs.allowedUses.includes(use));
  // A serial number is positive, and Go takes 20 bytes of it at most.
  const serial = randomBytes(16);
  serial.writeUInt8(serial.readUInt8(0) & 0x7f);
  const certificate = await x509.X509CertificateGenerator.create({
    ...names,
    ...{ notBefore, notAfter, serialNumber: serial.toString('hex') },
    signingAlgorithm: SIGNED_WITH,
    extensions: [
      new x509.BasicConstraintsExtension(inputs.isCaCertificate === true, undefined, true),
      new x509.KeyUsagesExtension(
        flags.reduce((sum, use) => sum | KEY_USES[use], 0),
        true,
      ),
      ...(extended.length > 0
        ? [new x509.ExtendedKeyUsageExtension(extended.map((use) => EXTENDED_USES[use]))]
        : []),
      ...more,
    ],
  });
  return {
    certPem: `${certificate.toString('pem')}\n`,
    validityStartTime: notBefore.toISOString(),
    validityEndTime: notAfter.toISOString(),
    readyForRenewal: false,
  };
}

const nameOf = (given: z.infer<typeof subject> = {}): x509.JsonName => [
  ...(given.organization === undefined ? [] : [{ O: [given.organization] }]),
  ...(given.commonName === undefined ? [] : [{ CN: [given.commonName] }]),
];

const alternativeNames = (names: readonly string[] = []): x509.Extension[] =>
  names.length === 0
    ? []
    : [new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns', value })))];

/** A resource that is only in the state: made once, and made anew when any input is another one. */
function logical<S extends z.ZodType>(
  schema: S,
  make: (inputs: z.infer<S>) => Promise<Props>,
  hashed: string,
): ResourceType {
  return {
    check: async ({ news }, { type }) => ({
      inputs: news,
      failures: schemaFailures(schema, news, type),
    }),
    async create({ inputs }) {
      const made = await make(schema.parse(withoutNulls(inputs)));
      return { id: idOf(String(made[hashed])), outputs: { ...inputs, ...made } };
    },
    read: (state) => Promise.resolve(state),
  };
}

function keysOf<T extends object>(table: T): (keyof T)[] {
  return Object.keys(table) as (keyof T)[];
}
