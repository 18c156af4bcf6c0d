import type * as pulumi from '@pulumi/pulumi';

/** What two ends that speak TLS show each other, and in which Secrets it is put: tls.crt, tls.key and ca.crt. */
export interface CertificatesArgs {
  readonly namespace: pulumi.Input<string>;
  readonly server: {
    readonly secret: string;
    /** Names by which clients call it. */
    readonly dnsNames: readonly string[];
  };
  /** Undefined where clients need no certificate. */
  readonly client?: { readonly secret: string; readonly commonName: string } | undefined;
}

export const HOURS_OF_DAY = 24;
/** How long an authority is good for. */
export const AUTHORITY_HOURS = 10 * 365 * HOURS_OF_DAY;
