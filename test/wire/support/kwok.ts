import path from 'node:path';
import { run } from '../../lab/exec';
import { ensurePrograms } from '../../lab/programs';
import { MODULES_DIR } from '../../lab/programs/table';
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
  // Fetches it where kwok itself came out of the cache and its module is not there.
  const { stdout } = await run('go', ['mod', 'download', '-json', 'sigs.k8s.io/kwok'], {
    cwd: path.join(MODULES_DIR, 'kwok'),
    env: { GOFLAGS: '', GOWORK: 'off' },
  });
  const { Dir: module } = JSON.parse(stdout) as { Dir: string };
  const folder = path.join(module, 'kustomize', 'stage');
  return { file: kwok, stages: STAGES.map((stage) => path.join(folder, stage)) };
}
