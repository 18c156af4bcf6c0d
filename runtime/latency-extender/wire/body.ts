import type { IncomingMessage } from 'node:http';

/** A body that is not taken; `status` is the HTTP status that says so. */
export class RefusedBody extends Error {
  constructor(
    readonly status: 400 | 413,
    message: string,
  ) {
    super(message);
  }
}

/**
 * The whole body as text. What comes after a refusal is read and thrown away: who still sends when the connection is
 * closed may never see the answer.
 * @throws RefusedBody when it is larger than maxBytes, or breaks off.
 */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const refuse = (): void => {
      chunks.length = 0;
      reject(new RefusedBody(413, `the body is larger than ${maxBytes} bytes (MAX_BODY_BYTES)`));
    };
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes) refuse();
      else chunks.push(chunk);
    });
    request.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    request.once('error', (error) =>
      reject(new RefusedBody(400, `the body could not be read: ${error.message}`)),
    );
    if (Number(request.headers['content-length'] ?? 0) > maxBytes) refuse();
  });
}
