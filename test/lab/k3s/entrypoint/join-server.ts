import { createServer } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorText, log } from './log';
import {
  checkJoinRequest,
  sameSecret,
  type JoinAnswer,
  type JoinRequest,
  type ServerBootstrap,
} from './join-protocol';
import { issueAway, type KeyPair } from './pki';

/** What the join endpoint rests on. */
export interface JoinServerOptions {
  port: number;
  /** Lets servers join, and agents. */
  serverSecret: string;
  /** Lets agents join. */
  agentSecret: string;
  /** What a joining server needs; undefined on a server that no other can join. */
  bootstrap: (() => Promise<ServerBootstrap>) | undefined;
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
  const { serverSecret, agentSecret, bootstrap } = options;
  const isServers = sameSecret(token, serverSecret);
  const answer = (content: unknown): void => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(content));
  };
  if (request.url === SERVER_PATH) {
    if (!isServers) return refuse(401, 'the token is not that of servers');
    if (bootstrap === undefined)
      return refuse(409, 'this server was not started with cluster-init: none can join it');
    answer(await bootstrap());
    return log(`a server joins from ${from}`);
  }
  if (!isServers && !sameSecret(token, agentSecret)) return refuse(401, 'the token is wrong');
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
  answer(await nodeIdentity(join, options));
  log(`${join.nodeName} joins from ${from}`);
}

const AGENT_PATH = '/v1-k3s/join';
const SERVER_PATH = '/v1-k3s/server-bootstrap';

/** Serves /cacerts to all, and to who knows the token what an agent and what a server needs to join. */
export function serveJoins(options: JoinServerOptions): void {
  const server = createServer(
    { cert: options.tls.cert, key: options.tls.key },
    (request, response) => {
      if (request.method === 'GET' && request.url === '/cacerts') response.end(options.ca);
      else if (request.method === 'POST' && [AGENT_PATH, SERVER_PATH].includes(request.url ?? ''))
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
