import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { Logger } from '../log';
import type { TlsFiles } from './settings';

/** What a server shows, and the authority by which it knows its clients. */
export interface Certificates {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Undefined where clients need no certificate. */
  readonly ca: Buffer | undefined;
}

/** How often renewed certificates are looked for. */
const LOOK_EVERY_MS = 5000;

/**
 * A server's certificates, from files that may be renewed while it runs. Files that do not belong together, as when one
 * is new and another not yet, are not taken up; what was there before counts until they do.
 */
export class CertificateFiles {
  readonly #listeners = new Set<(certificates: Certificates) => void>();
  readonly #looking: NodeJS.Timeout;
  #current: Certificates;
  #problem: string | undefined;

  private constructor(
    private readonly files: TlsFiles,
    private readonly log: Logger,
  ) {
    this.#current = read(files);
    this.#looking = setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
  }

  /**
   * Reads the files that settings name; undefined where they name none.
   * @throws Error naming the setting and the file that cannot be read, or why they cannot be used.
   */
  static open(files: TlsFiles, log: Logger): CertificateFiles | undefined {
    return files.tlsCertFile === '' ? undefined : new CertificateFiles(files, log);
  }

  get current(): Certificates {
    return this.#current;
  }

  /** Calls it with each renewed set. @returns what ends that. */
  onRenewed(listener: (certificates: Certificates) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  close(): void {
    clearInterval(this.#looking);
    this.#listeners.clear();
  }

  #look(): void {
    try {
      const now = read(this.files);
      this.#problem = undefined;
      if (isSame(now, this.#current)) return;
      this.#current = now;
      for (const listener of this.#listeners) listener(now);
      this.log.info({ file: this.files.tlsCertFile }, 'took up renewed certificates');
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.#problem)
        this.log.warn({ err: error }, 'keeps its certificates: the files cannot be used');
      this.#problem = message;
    }
  }
}

function read({ tlsCertFile, tlsKeyFile, tlsClientCaFile }: TlsFiles): Certificates {
  const certificates = {
    cert: readable('TLS_CERT_FILE', tlsCertFile),
    key: readable('TLS_KEY_FILE', tlsKeyFile),
    ca: tlsClientCaFile === undefined ? undefined : readable('TLS_CLIENT_CA_FILE', tlsClientCaFile),
  };
  try {
    createSecureContext(certificates);
  } catch (error) {
    const files = [tlsCertFile, tlsKeyFile, tlsClientCaFile].filter((file) => file !== undefined);
    throw new Error(
      `TLS_CERT_FILE, TLS_KEY_FILE: cannot use ${files.join(', ')}: ${(error as Error).message}`,
      { cause: error },
    );
  }
  return certificates;
}

function readable(name: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new Error(`${name}: cannot read ${file}`, { cause: error });
  }
}

const isSame = (one: Certificates, other: Certificates): boolean =>
  one.cert.equals(other.cert) &&
  one.key.equals(other.key) &&
  (one.ca ?? Buffer.alloc(0)).equals(other.ca ?? Buffer.alloc(0));
