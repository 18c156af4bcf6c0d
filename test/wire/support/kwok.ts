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

/** Of what kwok says how much each pod uses: of its annotation `kwok.x-k8s.io/usage-cpu`, and of what the node does. */
const USAGE = [
  'metrics/usage/usage-from-annotation.yaml',
  'metrics/resource/metrics-resource.yaml',
];
const COMPLETE = 'pod/fast/pod-complete.yaml';

/** How kwok plays. */
export interface KwokOptions {
  /** Pods of Jobs run until somebody else says that they are done. */
  readonly jobsGoOn?: boolean;
  /** It says what nodes use, at `/metrics/nodes/NAME/metrics/resource`. */
  readonly usage?: boolean;
}

/** The paths of kwok, which plays kubelets, and of what it is told. */
export async function ensureKwok({ jobsGoOn, usage }: KwokOptions = {}): Promise<{
  file: string;
  stages: string[];
}> {
  const { kwok } = await ensurePrograms(['kwok'], consoleReporter());
  const module = await moduleFolder(groupOf('kwok'), 'sigs.k8s.io/kwok');
  const folder = path.join(module, 'kustomize');
  const stages = STAGES.filter((stage) => !jobsGoOn || stage !== COMPLETE);
  const files = [...stages.map((stage) => `stage/${stage}`), ...(usage ? USAGE : [])];
  return { file: kwok, stages: files.map((file) => path.join(folder, file)) };
}
