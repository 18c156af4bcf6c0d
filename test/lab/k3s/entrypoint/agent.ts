import { join } from './join-client';
import { startContainerd, startNode, type NodeContext } from './node';
import { ownNodePassword } from './node-password';
import type { Supervisor } from './supervisor';

/** Runs an agent: joins its server, however long that takes to come, and becomes a node. */
export async function startAgent(supervisor: Supervisor, context: NodeContext): Promise<void> {
  const { options, nodeAddress } = context;
  const { nodeName, serverUrl = '', token = '' } = options;
  const nodePassword = await ownNodePassword();
  const [identity] = await Promise.all([
    join(serverUrl, token, { nodeName, nodeAddress, nodePassword }),
    startContainerd(supervisor),
  ]);
  await startNode(supervisor, { ...context, identity, apiUrl: serverUrl });
}
