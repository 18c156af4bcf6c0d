import { request as httpsRequest } from 'node:https';
import { ApiError } from './kube-client';
import { parseToken, supervisorUrl, type JoinAnswer, type JoinRequest } from './join-protocol';
import { caHash } from './pki';
import { waitFor } from './wait-for';

interface Call {
  url: string;
  method: 'GET' | 'POST';
  /** Absent: any certificate will do, since the authority is what is asked for. */
  ca?: string;
  token?: string;
  body?: unknown;
}

function call({ url, method, ca, token, body }: Call): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const options = { method, headers, ca, rejectUnauthorized: ca !== undefined, timeout: 30_000 };
    const request = httpsRequest(url, options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('error', reject);
      response.on('end', () => {
        const status = response.statusCode ?? 0;
        if (status === 200) resolve(text);
        else reject(new ApiError(status, text));
      });
    });
    request.on('timeout', () => request.destroy(new Error(`${url}: no answer`)));
    request.on('error', reject);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/**
 * Joins a cluster; waits for its server as long as it takes. A short token trusts the authority that
 * the server shows first, as k3s does; a full one carries its hash.
 * @throws Error when the server refuses: wrong token, or a name that is another node's.
 */
export async function join(
  serverUrl: string,
  token: string,
  who: JoinRequest,
): Promise<JoinAnswer> {
  const base = supervisorUrl(serverUrl);
  const { secret, caHash: expected } = parseToken(token);
  const isFinal = (error: unknown): boolean =>
    error instanceof ApiError && error.status >= 400 && error.status < 500;
  const ca = await waitFor(
    `the server ${base}`,
    () => call({ url: `${base}/cacerts`, method: 'GET' }),
    {
      everyMs: 300,
      isFinal,
    },
  );
  if (expected !== undefined && expected !== caHash(ca))
    throw new Error(`the CA of ${base} is not the one that the token names`);
  const url = `${base}/v1-k3s/join`;
  const attempt = (): Promise<string> =>
    call({ url, method: 'POST', ca, token: secret, body: who });
  const text = await waitFor(`${base} to let this node join`, attempt, {
    everyMs: 300,
    isFinal,
  }).catch((error: unknown) => {
    if (error instanceof ApiError) throw new Error(`${base} refused this node: ${error.message}`);
    throw error;
  });
  return JSON.parse(text) as JoinAnswer;
}
