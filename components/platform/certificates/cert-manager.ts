import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import { AUTHORITY_HOURS, HOURS_OF_DAY, type CertificatesArgs } from './types';

const API_VERSION = 'cert-manager.io/v1';
const hoursText = (hours: number) => `${hours}h0m0s`;
const LEAF_HOURS = 90 * HOURS_OF_DAY;
/** Renewed so long before it ends; services take up renewed files, so nothing restarts. */
const RENEW_BEFORE_HOURS = 30 * HOURS_OF_DAY;

/**
 * Certificates made and renewed by the cluster's cert-manager: an authority for nothing else, and of it one for each
 * side. The keys never leave the cluster.
 */
export class CertManagerCertificates extends pulumi.ComponentResource {
  constructor(name: string, args: CertificatesArgs, options: pulumi.ComponentResourceOptions) {
    super(
      'berth:platform:CertManagerCertificates',
      name,
      {},
      {
        ...options,
        // Its name while only the external scaler had certificates: another one would make them all anew.
        aliases: [{ type: 'berth:services:ScalerCertificates' }],
      },
    );
    const { namespace, server, client } = args;
    const declare = (kind: 'Issuer' | 'Certificate', id: string, spec: object) =>
      new kubernetes.apiextensions.CustomResource(
        `${id}-${kind.toLowerCase()}`,
        { apiVersion: API_VERSION, kind, metadata: { name: id, namespace }, spec },
        { parent: this },
      ).metadata.name;
    const issuedBy = (issuer: pulumi.Input<string>) => ({
      issuerRef: { group: 'cert-manager.io', kind: 'Issuer', name: issuer },
      privateKey: { algorithm: 'ECDSA', size: 256, rotationPolicy: 'Always' },
    });
    const authority = `${name}-ca`;
    const self = declare('Issuer', `${name}-self`, { selfSigned: {} });
    const authoritySecret = declare('Certificate', authority, {
      ...issuedBy(self),
      isCA: true,
      commonName: authority,
      secretName: authority,
      duration: hoursText(AUTHORITY_HOURS),
      // Another key would make strangers of both sides until each has its new certificate.
      privateKey: { algorithm: 'ECDSA', size: 256, rotationPolicy: 'Never' },
    });
    const issuer = declare('Issuer', authority, { ca: { secretName: authoritySecret } });
    const leaf = (secretName: string, usage: 'server auth' | 'client auth', names: object) =>
      declare('Certificate', secretName, {
        ...issuedBy(issuer),
        ...names,
        secretName,
        usages: ['digital signature', usage],
        duration: hoursText(LEAF_HOURS),
        renewBefore: hoursText(RENEW_BEFORE_HOURS),
      });
    leaf(server.secret, 'server auth', { dnsNames: [...server.dnsNames] });
    if (client) leaf(client.secret, 'client auth', { commonName: client.commonName });
    this.registerOutputs({});
  }
}
