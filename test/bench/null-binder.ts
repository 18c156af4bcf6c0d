import { pino } from 'pino';
import { systemClock } from '../../runtime/shared/clock';
import { KubeApi } from '../../runtime/shared/kubernetes/api';
import { ApiError } from '../../runtime/shared/kubernetes/api-error';
import { loadConnection } from '../../runtime/shared/kubernetes/connection';
import { Informer } from '../../runtime/shared/kubernetes/informer';
import type { Pod } from '../../runtime/shared/kubernetes/types';
import { nodeNames } from './extender-nodes';

/** As many at once as the cpu-scheduler sends. */
const IN_FLIGHT = 96;

/** Binds each waiting pod to the next node in turn, and looks at nothing: the most that such a client can do. */
async function bindAll(kubeconfig: string, schedulerName: string, nodes: number): Promise<void> {
  const api = new KubeApi(await loadConnection(kubeconfig), {
    timeoutMs: 30_000,
    connections: IN_FLIGHT,
    userAgent: 'berth-null-binder',
  });
  const names = nodeNames(nodes);
  const waiting: Pod[] = [];
  let inFlight = 0;
  let turn = 0;
  const bind = async ({ metadata: { namespace, name, uid } }: Pod): Promise<void> => {
    inFlight += 1;
    turn = (turn + 1) % names.length;
    const request = {
      method: 'POST',
      path: `/api/v1/namespaces/${namespace}/pods/${name}/binding`,
      body: {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { namespace, name, uid },
        target: { apiVersion: 'v1', kind: 'Node', name: names[turn] },
      },
    } as const;
    await api.request(request).catch((error: unknown) => {
      // Pods are taken away when time is over.
      if (!(error instanceof ApiError && error.status === 404)) throw error;
    });
    inFlight -= 1;
    pump();
  };
  const pump = (): void => {
    while (inFlight < IN_FLIGHT) {
      const pod = waiting.shift();
      if (pod === undefined) return;
      void bind(pod);
    }
  };
  const informer = new Informer<Pod, Pod>(
    api,
    {
      path: '/api/v1/pods',
      fieldSelector: `spec.schedulerName=${schedulerName},spec.nodeName=`,
      project: (pod) => pod,
    },
    {
      set: (pod) => {
        waiting.push(pod);
        pump();
      },
      remove: () => undefined,
    },
    systemClock,
    pino({ level: 'silent' }),
  );
  await informer.run(new AbortController().signal);
}

process.on('disconnect', () => process.exit(0));
const [kubeconfig = '', schedulerName = '', nodes = '1'] = process.argv.slice(2);
void bindAll(kubeconfig, schedulerName, Number(nodes));
