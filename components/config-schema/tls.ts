import { z } from 'zod';
import { block, secretName } from './values';

const SOURCES = ['program', 'cert-manager', 'secrets'] as const;

/** Who makes certificates: this program, the cluster's cert-manager, or somebody who puts Secrets there. */
export type CertificateSource = (typeof SOURCES)[number];

const sources = (byDefault: CertificateSource) =>
  z.enum(SOURCES, { error: 'must be program, cert-manager or secrets' }).default(byDefault);

/**
 * TLS of a service of this name. Its certificates are in Secrets of the service's namespace with tls.crt, tls.key and ca.crt.
 */
export const serverTls = (name: string) =>
  block({
    enabled: z.boolean().default(false),
    certificates: sources('program'),
    serverSecret: secretName.default(`${name}-tls`),
  });

/** The same, of a service whose client must show a certificate, too. */
export const mutualTls = (name: string, byDefault: CertificateSource = 'program') =>
  block({
    enabled: z.boolean().default(false),
    certificates: sources(byDefault),
    serverSecret: secretName.default(`${name}-tls`),
    clientSecret: secretName.default(`${name}-client-tls`),
  }).refine(({ serverSecret, clientSecret }) => serverSecret !== clientSecret, {
    path: ['clientSecret'],
    error: 'must not be the same as serverSecret',
  });

export type MutualTlsConfig = z.infer<ReturnType<typeof mutualTls>>;
export type ServerTlsConfig = z.infer<ReturnType<typeof serverTls>>;
