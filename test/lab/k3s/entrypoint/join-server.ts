import { createServer } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorText, log } from './log';
import { checkJoinRequest, sameSecret, type JoinAnswer, type JoinRequest } from './join-protocol';
import { issueAway, type KeyPair } from './pki';

/** What the join endpoint rests on. */
export interface JoinServerOptions {
  port: number;
  /** Each lets an agent join. */
  secrets: readonly string[];
  ca: string;
  tls: KeyPair;
  clusterCidr: string;
  serviceCidr: string;
  enforcesNetworkPolicies: boolean;
  /** Tells whether the node may have its name; see checkNodePassword. */
  admit: (request: JoinRequest) => Promise<boolean>;
}

const maxBodyBytes = 64 * 1024;

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > maxBodyBytes) throw new Error('the request is too large');
  }
  return JSON.parse(text);
}

/** What all nodes of a cluster are told. */
export type ClusterFacts = Pick<
  JoinServerOptions,
  'ca' | 'clusterCidr' | 'serviceCidr' | 'enforcesNetworkPolicies'
>;

/** Certificates for one node, as a kubelet, for its own server, for its kube-proxy and for its controller of policies. */
export async function nodeIdentity(
  { nodeName, nodeAddress }: Pick<JoinRequest, 'nodeName' | 'nodeAddress'>,
  { ca, clusterCidr, serviceCidr, enforcesNetworkPolicies }: ClusterFacts,
): Promise<JoinAnswer> {
  const commonName = `system:node:${nodeName}`;
  const [kubelet, kubeletServing, kubeProxy, controller] = await Promise.all([
    issueAway({ commonName, organization: 'system:nodes' }),
    issueAway({ commonName, sans: [nodeName, nodeAddress, '127.0.0.1'] }),
    issueAway({ commonName: 'system:kube-proxy' }),
    issueAway({ commonName: 'system:k3s-controller' }),
  ]);
  const identities = { kubelet, kubeletServing, kubeProxy, controller };
  return { ca, ...identities, clusterCidr, serviceCidr, enforcesNetworkPolicies };
}

async function answerJoin(
  options: JoinServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
) {
  const from = request.socket.remoteAddress ?? 'unknown';
  const refuse = (status: number, reason: string): void => {
    log(`refused to join ${from}: ${reason}`);
    response.writeHead(status, { 'content-type': 'text/plain' }).end(reason);
  };
  const token = /^Bearer (.*)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
  if (!options.secrets.some((secret) => sameSecret(token, secret)))
    return refuse(401, 'the token is wrong');
  let join: JoinRequest;
  try {
    join = checkJoinRequest(await bodyOf(request));
  } catch (error) {
    return refuse(400, errorText(error));
  }
  if (!(await options.admit(join)))
    return refuse(
      403,
      `node password rejected: ${join.nodeName} is another node's name, delete that Node first`,
    );
  const answer = JSON.stringify(await nodeIdentity(join, options));
  response.writeHead(200, { 'content-type': 'application/json' }).end(answer);
  log(`${join.nodeName} joins from ${from}`);
}

/** Serves /cacerts to all and /v1-k3s/join to who knows the token. */
export function serveJoins(options: JoinServerOptions): void {
  const server = createServer(
    { cert: options.tls.cert, key: options.tls.key },
    (request, response) => {
      if (request.method === 'GET' && request.url === '/cacerts') response.end(options.ca);
      else if (request.method === 'POST' && request.url === '/v1-k3s/join')
        answerJoin(options, request, response).catch((error: unknown) => {
          log(`join: ${errorText(error)}`);
          response.writeHead(503).end('not ready');
        });
      else response.writeHead(404).end();
    },
  );
  server.on('error', (error) => {
    log(`join endpoint: ${error.message}`);
    process.exitCode = 1;
    process.kill(process.pid, 'SIGTERM');
  });
  server.listen(options.port);
}
