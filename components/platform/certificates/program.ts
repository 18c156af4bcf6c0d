import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import * as tls from '@pulumi/tls';
import { AUTHORITY_HOURS, HOURS_OF_DAY, type CertificatesArgs } from './types';

const HOUR_MS = 3_600_000;
/** From its last renewal on a certificate is good for so long. */
export const LEAF_HOURS = 365 * HOURS_OF_DAY;
/** An update makes a certificate of an earlier period anew: at least three quarters of its year are left until it must. */
const LEAF_PERIOD_HOURS = 90 * HOURS_OF_DAY;
const AUTHORITY_PERIOD_HOURS = AUTHORITY_HOURS / 2;
const ECDSA = { algorithm: 'ECDSA', ecdsaCurve: 'P256' };

/** Number of the period that a moment is in, of periods of so many hours since 1970. */
export const periodAt = (nowMs: number, hours: number): number =>
  Math.floor(nowMs / (hours * HOUR_MS));

/**
 * Certificates made by this program: an authority for nothing else, and of it one for each side. The keys are secrets of
 * the stack, and in the Secrets of whoever needs them; that of the authority is in the stack alone.
 *
 * They are renewed by updates, by the calendar and not by the provider's `earlyRenewalHours`, which looks at the state
 * of the last refresh.
 */
export class ProgramCertificates extends pulumi.ComponentResource {
  /** The authority's certificate (PEM): who reads it only once must start again when it is another one. */
  readonly authority: pulumi.Output<string>;

  constructor(
    name: string,
    args: CertificatesArgs,
    options: pulumi.ComponentResourceOptions,
    nowMs = Date.now(),
  ) {
    super('berth:platform:ProgramCertificates', name, {}, options);
    const { server, client } = args;
    const inside = { parent: this };
    const id = `${name}-ca`;
    const every = (hours: number) => ({ ...inside, replacementTrigger: periodAt(nowMs, hours) });
    const key = new tls.PrivateKey(id, ECDSA, every(AUTHORITY_PERIOD_HOURS));
    const authority = new tls.SelfSignedCert(
      id,
      {
        privateKeyPem: key.privateKeyPem,
        subject: { commonName: id },
        isCaCertificate: true,
        allowedUses: ['cert_signing', 'crl_signing'],
        validityPeriodHours: AUTHORITY_HOURS,
      },
      inside,
    );
    const leaf = (
      secret: string,
      use: 'server_auth' | 'client_auth',
      request: Pick<tls.CertRequestArgs, 'subject' | 'dnsNames'>,
    ): void => {
      const own = new tls.PrivateKey(secret, ECDSA, every(LEAF_PERIOD_HOURS));
      const { certRequestPem } = new tls.CertRequest(
        secret,
        { privateKeyPem: own.privateKeyPem, ...request },
        inside,
      );
      const { certPem } = new tls.LocallySignedCert(
        secret,
        {
          certRequestPem,
          caCertPem: authority.certPem,
          caPrivateKeyPem: key.privateKeyPem,
          allowedUses: ['digital_signature', use],
          validityPeriodHours: LEAF_HOURS,
        },
        inside,
      );
      new kubernetes.core.v1.Secret(
        secret,
        {
          metadata: { name: secret, namespace: args.namespace },
          type: 'kubernetes.io/tls',
          stringData: {
            'tls.crt': certPem,
            'tls.key': own.privateKeyPem,
            'ca.crt': authority.certPem,
          },
        },
        inside,
      );
    };
    const [commonName = ''] = server.dnsNames;
    leaf(server.secret, 'server_auth', { subject: { commonName }, dnsNames: [...server.dnsNames] });
    if (client) leaf(client.secret, 'client_auth', { subject: { commonName: client.commonName } });
    this.authority = authority.certPem;
    this.registerOutputs({ authority: this.authority });
  }
}
