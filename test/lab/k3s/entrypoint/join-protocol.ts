import { timingSafeEqual, createHash } from 'node:crypto';
import type { KeyPair } from './pki';

/** What an agent sends to /v1-k3s/join, with the token as bearer. */
export interface JoinRequest {
  nodeName: string;
  nodeAddress: string;
  /** Made once by each node container: it proves that a name is still the same node's. */
  nodePassword: string;
}

/** What an agent gets: who it is to the cluster, and the cluster's ranges. */
export interface JoinAnswer {
  ca: string;
  kubelet: KeyPair;
  kubeletServing: KeyPair;
  kubeProxy: KeyPair;
  /** Who reads the policies that this node enforces. */
  controller: KeyPair;
  clusterCidr: string;
  serviceCidr: string;
  /** Whether the cluster's nodes enforce NetworkPolicies. */
  enforcesNetworkPolicies: boolean;
}

/** What a joining server gets. */
export interface ServerBootstrap {
  /** The authorities and keys that all servers share: file name -> text. */
  pki: Record<string, string>;
  /** Where the members of etcd that have a vote answer clients. */
  etcdUrls: string[];
}

/** The supervisor listens on the port after the API server's. */
export function supervisorUrl(serverUrl: string): string {
  const url = new URL(serverUrl);
  return `https://${url.hostname}:${Number(url.port || 443) + 1}`;
}

/** Splits a token into its secret and, if it is a full one (K10HASH::server:SECRET), the CA's hash. */
export function parseToken(token: string): { secret: string; caHash?: string } {
  const full = /^K10([0-9a-f]{64})::(?:[^:]*:)?(.+)$/.exec(token);
  return full ? { caHash: full[1], secret: full[2] ?? '' } : { secret: token };
}

/** Compares two secrets in a time that tells nothing about them. */
export function sameSecret(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

/** @throws Error when a join request is malformed; its parts end up in certificates. */
export function checkJoinRequest(value: unknown): JoinRequest {
  const { nodeName, nodeAddress, nodePassword } = (value ?? {}) as Partial<JoinRequest>;
  if (typeof nodeName !== 'string' || !/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/.test(nodeName))
    throw new Error('nodeName is not a DNS name');
  if (typeof nodeAddress !== 'string' || !/^\d{1,3}(\.\d{1,3}){3}$/.test(nodeAddress))
    throw new Error('nodeAddress is not an IPv4 address');
  if (typeof nodePassword !== 'string' || nodePassword.length < 16)
    throw new Error('nodePassword is missing or short');
  return { nodeName, nodeAddress, nodePassword };
}
