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

/** The whole body as text. @throws RefusedBody when it is larger than maxBytes, or ends before its end. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<string> {
  const tooLarge = (): RefusedBody =>
    new RefusedBody(413, `the body is larger than ${maxBytes} bytes (MAX_BODY_BYTES)`);
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw tooLarge();
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof RefusedBody) throw error;
    throw new RefusedBody(400, `the body could not be read: ${(error as Error).message}`);
  }
  return Buffer.concat(chunks, bytes).toString('utf8');
}
