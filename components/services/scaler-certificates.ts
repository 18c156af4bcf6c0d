import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import type { EventScalingConfig } from '../config-schema';
import { EXTERNAL_SCALER_ADDRESS } from '../plan';

const API_VERSION = 'cert-manager.io/v1';
const hoursText = (hours: number) => `${hours}h0m0s`;
const AUTHORITY_HOURS = 10 * 365 * 24;
const LEAF_HOURS = 90 * 24;
/** Renewed so long before it ends; the scaler takes up renewed files, so nothing restarts. */
const RENEW_BEFORE_HOURS = 30 * 24;

export interface ScalerCertificatesArgs {
  /** Where the external scaler and the ScaledJobs are. */
  readonly namespace: pulumi.Input<string>;
  readonly tls: EventScalingConfig['tls'];
}

/**
 * What KEDA and the external scaler show each other, made and renewed by the cluster's cert-manager: an authority for
 * nothing else, and of it one certificate for each side. The keys never leave the cluster.
 */
export class ScalerCertificates extends pulumi.ComponentResource {
  constructor(
    name: string,
    args: ScalerCertificatesArgs,
    options: pulumi.ComponentResourceOptions,
  ) {
    super('berth:services:ScalerCertificates', name, {}, options);
    const { namespace, tls } = args;
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
    const [host = ''] = EXTERNAL_SCALER_ADDRESS.split(':');
    const leaf = (secretName: string, usage: 'server auth' | 'client auth', names: object) =>
      declare('Certificate', secretName, {
        ...issuedBy(issuer),
        ...names,
        secretName,
        usages: ['digital signature', usage],
        duration: hoursText(LEAF_HOURS),
        renewBefore: hoursText(RENEW_BEFORE_HOURS),
      });
    leaf(tls.serverSecret, 'server auth', { dnsNames: [host] });
    leaf(tls.clientSecret, 'client auth', { commonName: 'keda' });
    this.registerOutputs({});
  }
}
