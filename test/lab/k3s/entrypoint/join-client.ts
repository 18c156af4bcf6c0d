import { request as httpsRequest } from 'node:https';
import { ApiError } from './kube-client';
import {
  parseToken,
  supervisorUrl,
  type JoinAnswer,
  type JoinRequest,
  type ServerBootstrap,
} from './join-protocol';
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

const isFinal = (error: unknown): boolean =>
  error instanceof ApiError && error.status >= 400 && error.status < 500;

/**
 * Asks a cluster's server for what a node needs; waits for it as long as it takes. A short token trusts the authority that
 * the server shows first, as k3s does; a full one carries its hash.
 */
async function ask<T>(
  serverUrl: string,
  token: string,
  { path, body }: { path: string; body: unknown },
): Promise<T> {
  const base = supervisorUrl(serverUrl);
  const { secret, caHash: expected } = parseToken(token);
  const ca = await waitFor(
    `the server ${base}`,
    () => call({ url: `${base}/cacerts`, method: 'GET' }),
    { everyMs: 300, isFinal },
  );
  if (expected !== undefined && expected !== caHash(ca))
    throw new Error(`the CA of ${base} is not the one that the token names`);
  const attempt = (): Promise<string> =>
    call({ url: `${base}${path}`, method: 'POST', ca, token: secret, body });
  const text = await waitFor(`${base} to let this node join`, attempt, {
    everyMs: 300,
    isFinal,
  }).catch((error: unknown) => {
    if (error instanceof ApiError) throw new Error(`${base} refused this node: ${error.message}`);
    throw error;
  });
  return JSON.parse(text) as T;
}

/**
 * Joins a cluster as an agent.
 * @throws Error when the server refuses: wrong token, or a name that is another node's.
 */
export const join = (serverUrl: string, token: string, who: JoinRequest): Promise<JoinAnswer> =>
  ask(serverUrl, token, { path: '/v1-k3s/join', body: who });

/**
 * Asks for what a joining server needs.
 * @throws Error when the server refuses: wrong token, the agents' token, or it has no embedded etcd.
 */
export const bootstrapServer = (serverUrl: string, token: string): Promise<ServerBootstrap> =>
  ask(serverUrl, token, { path: '/v1-k3s/server-bootstrap', body: {} });
