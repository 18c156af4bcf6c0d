import { defineSettings, SettingsError, stringSetting } from '../settings';

/** Settings of a service that may speak TLS. @param what it serves, for the description. */
export const tlsSettings = (what: string) =>
  defineSettings({
    tlsCertFile: {
      env: 'TLS_CERT_FILE',
      description: `Certificate of ${what} (PEM); empty means plain text`,
      schema: stringSetting(''),
    },
    tlsKeyFile: {
      env: 'TLS_KEY_FILE',
      description: 'Key of that certificate (PEM)',
      schema: stringSetting(''),
    },
  });

/** The same of a service that wants to know its clients, too. */
export const clientTlsSettings = (what: string) =>
  defineSettings({
    ...tlsSettings(what),
    tlsClientCaFile: {
      env: 'TLS_CLIENT_CA_FILE',
      description: 'Authority that must have signed the certificates of clients (PEM)',
      schema: stringSetting(''),
    },
  });

/** Where a server's certificates are; empty: it speaks plain text. */
export interface TlsFiles {
  readonly tlsCertFile: string;
  readonly tlsKeyFile: string;
  /** Undefined where clients need no certificate. */
  readonly tlsClientCaFile?: string;
}

/** Refuses half a set of TLS files. @throws SettingsError */
export function checkTlsFiles(settings: TlsFiles): void {
  const { tlsCertFile, tlsKeyFile, tlsClientCaFile } = settings;
  const files = Object.entries({
    TLS_CERT_FILE: tlsCertFile,
    TLS_KEY_FILE: tlsKeyFile,
    ...(tlsClientCaFile !== undefined && { TLS_CLIENT_CA_FILE: tlsClientCaFile }),
  });
  const given = files.filter(([, file]) => file !== '').length;
  if (given !== 0 && given !== files.length)
    throw new SettingsError([`${files.map(([name]) => name).join(', ')}: set all of them or none`]);
}
