import { connect } from 'node:net';

/** An answer, as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Sends these bytes and reads one answer; for requests that no client would send.
 * @throws Error where the server closes the connection without an answer
 */
export function sendRaw(port: number, bytes: Buffer): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let seen = Buffer.alloc(0);
    const take = (atEnd: boolean): void => {
      const answer = answerIn(seen, atEnd);
      if (answer === undefined) {
        if (atEnd) reject(new Error(`no answer, but ${JSON.stringify(seen.toString('latin1'))}`));
        return;
      }
      resolve(answer);
      socket.destroy();
    };
    socket.on('data', (chunk) => {
      seen = Buffer.concat([seen, chunk]);
      take(false);
    });
    // What the server has said before counts.
    socket.on('error', () => undefined);
    socket.on('close', () => take(true));
    socket.write(bytes);
  });
}

function answerIn(seen: Buffer, atEnd: boolean): RawAnswer | undefined {
  const end = seen.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [first = '', ...lines] = seen.toString('latin1', 0, end).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const body = seen.subarray(end + 4);
  const length = Number(headers['content-length'] ?? (atEnd ? body.length : Infinity));
  if (body.length < length && !atEnd) return undefined;
  return { status: Number(first.split(' ')[1]), headers, body: body.toString('utf8') };
}
