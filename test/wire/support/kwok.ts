import path from 'node:path';
import { ensurePrograms } from '../../lab/programs';
import { moduleFolder } from '../../lab/programs/build';
import { groupOf } from '../../lab/programs/table';
import { consoleReporter } from '../../lab/report';

/** What kwok plays, as files of its own module: it does nothing without. */
const STAGES = [
  'node/fast/node-initialize.yaml',
  'node/heartbeat/node-heartbeat.yaml',
  'pod/fast/pod-ready.yaml',
  'pod/fast/pod-complete.yaml',
  'pod/fast/pod-delete.yaml',
];

/** The paths of kwok, which plays kubelets, and of its stages. */
export async function ensureKwok(): Promise<{ file: string; stages: string[] }> {
  const { kwok } = await ensurePrograms(['kwok'], consoleReporter());
  const module = await moduleFolder(groupOf('kwok'), 'sigs.k8s.io/kwok');
  const folder = path.join(module, 'kustomize', 'stage');
  return { file: kwok, stages: STAGES.map((stage) => path.join(folder, stage)) };
}
