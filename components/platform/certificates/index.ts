import * as pulumi from '@pulumi/pulumi';
import type { CertificateSource } from '../../config-schema';
import { CertManagerCertificates } from './cert-manager';
import { ProgramCertificates } from './program';
import type { CertificatesArgs } from './types';

/** Certificates that are, or will be, in their Secrets. */
export interface Certificates {
  readonly serverSecret: string;
  readonly clientSecret: string | undefined;
  /** Another one whenever another authority has signed them; undefined where only others know. */
  readonly authority: pulumi.Input<string> | undefined;
  /** What whoever needs them depends on. */
  readonly made: readonly pulumi.Resource[];
}

/** What a configuration says of a service's certificates. */
export interface CertificatesConfig {
  readonly enabled: boolean;
  readonly certificates: CertificateSource;
  readonly serverSecret: string;
  readonly clientSecret?: string;
}

/**
 * The certificates of a service and, where it has a `clientSecret`, of its client; undefined where TLS is off.
 * @param ends the names by which the service is called, and that of the client.
 */
export function declareCertificates(
  name: string,
  config: CertificatesConfig,
  ends: {
    readonly namespace: pulumi.Input<string>;
    readonly dnsNames: readonly string[];
    readonly client?: string;
  },
  options: pulumi.ComponentResourceOptions,
): Certificates | undefined {
  const { serverSecret, clientSecret } = config;
  if (!config.enabled) return undefined;
  const args: CertificatesArgs = {
    namespace: ends.namespace,
    server: { secret: serverSecret, dnsNames: ends.dnsNames },
    client:
      clientSecret === undefined
        ? undefined
        : { secret: clientSecret, commonName: ends.client ?? name },
  };
  const secrets = { serverSecret, clientSecret };
  switch (config.certificates) {
    case 'secrets':
      return { ...secrets, authority: undefined, made: [] };
    case 'cert-manager':
      return {
        ...secrets,
        authority: undefined,
        made: [new CertManagerCertificates(name, args, options)],
      };
    case 'program': {
      const made = new ProgramCertificates(name, args, options);
      return { ...secrets, authority: made.authority, made: [made] };
    }
  }
}

/** Names of a Service inside the cluster. */
export const serviceNames = (service: string, namespace: string): string[] => [
  `${service}.${namespace}.svc`,
  `${service}.${namespace}.svc.cluster.local`,
];
