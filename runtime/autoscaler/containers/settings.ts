import { z } from 'zod';
import { defineSettings, integerSetting, type SettingsOf } from '../../shared/settings';
import { workerTemplateSchema, type WorkerMould } from './worker-template';

const SECOND_MS = 1000;

/** Text that is a worker's template as JSON; a fault is told with its place in it. */
const templateText = z.string({ error: 'is required' }).transform((text, context) => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    context.addIssue({ code: 'custom', message: 'must be JSON' });
    return z.NEVER;
  }
  const parsed = workerTemplateSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  for (const { path, message } of parsed.error.issues)
    context.addIssue({ code: 'custom', message: `${path.join('.')}: ${message}` });
  return z.NEVER;
});

/** What workers are made of; the autoscaler and what guards Docker's socket for it must have the same. */
export const workerSettings = defineSettings({
  workerTemplate: {
    env: 'WORKER_TEMPLATE',
    description: 'What the container of a worker is made of, as JSON (containers/worker-template)',
    schema: templateText,
  },
  clusterToken: {
    env: 'K3S_TOKEN',
    description: 'Secret with which agents join the cluster',
    schema: z.string({ error: 'is required' }).min(1, 'is required'),
    secret: true,
  },
  dockerToken: {
    env: 'DOCKER_TOKEN',
    description: 'Bearer token between the autoscaler and the docker-socket-proxy',
    schema: z.string({ error: 'is required' }).min(16, 'must be at least 16 characters long'),
    secret: true,
  },
});

/** How the autoscaler reaches Docker, and what it makes there. */
export const dockerSettings = defineSettings({
  ...workerSettings,
  dockerUrl: {
    env: 'DOCKER_URL',
    description: 'URL of the docker-socket-proxy',
    schema: z
      .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
      .default('http://docker-socket-proxy:2375'),
  },
  dockerTimeoutMs: {
    env: 'DOCKER_TIMEOUT_MS',
    description: 'Time limit of one request to Docker; stopping a container may take its time more',
    unit: 'ms',
    schema: integerSetting(SECOND_MS, 600 * SECOND_MS, 30 * SECOND_MS),
  },
});

/** What workers are made of, out of the settings. */
export const workerMould = ({
  workerTemplate,
  clusterToken,
}: Pick<SettingsOf<typeof workerSettings>, 'workerTemplate' | 'clusterToken'>): WorkerMould => ({
  template: workerTemplate,
  clusterToken,
});
