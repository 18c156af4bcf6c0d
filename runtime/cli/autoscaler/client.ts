import { existsSync } from 'node:fs';
import { TOKEN_HEADER } from '../../autoscaler/api/token';
import { KubeError, openKube, type WritingKube } from '../kube';
import { proxiedService, proxyPath, type ProxiedService } from '../service-proxy';
import type { StackFolder } from '../stack-folder';
import { keptOutputs } from '../stack-outputs';
import { UserError } from '../user-error';

const AUTOSCALER = 'autoscaler';
/** Key of the Secret that has the token of the REST API. */
const TOKEN_KEY = 'API_TOKEN';

/** The REST API of a stack's autoscaler. Every method rejects with UserError. */
export interface AutoscalerApi {
  /** @param accepted statuses beside 2xx whose answer is wanted, too. */
  get<T>(path: string, accepted?: readonly number[]): Promise<T>;
  post<T>(path: string, body: object): Promise<T>;
}

/** Opens it through the API server's service proxy. @throws UserError where the stack is not up or has no autoscaler */
export async function openAutoscaler(folder: StackFolder): Promise<AutoscalerApi> {
  const { stack } = folder;
  if (!existsSync(folder.kubeconfig))
    throw new UserError(`stack ${stack} is not up: npm run up -- -s ${stack}`);
  const service = proxiedService(keptOutputs(folder).urls?.[AUTOSCALER] ?? '');
  if (service === undefined)
    throw new UserError(
      `system autoscaling is off in stack ${stack}: set berth:systems.autoscaling.enabled to true in Pulumi.${stack}.yaml, then npm run up -- -s ${stack}`,
    );
  return autoscalerApi(await openKube(folder.kubeconfig), service);
}

/** The same, of a cluster that is open. */
export function autoscalerApi(
  kube: Pick<WritingKube, 'json' | 'post'>,
  service: ProxiedService,
): AutoscalerApi {
  return {
    get: async <T>(path: string, accepted: readonly number[] = []) => {
      try {
        return await kube.json<T>(proxyPath(service, path));
      } catch (error) {
        const answered = error instanceof KubeError ? answerOf(error) : undefined;
        const wanted = error instanceof KubeError && accepted.includes(error.status);
        if (wanted && answered !== undefined && !('kind' in answered)) return answered as T;
        throw explained(error);
      }
    },
    post: async <T>(path: string, body: object) => {
      try {
        const token = await readToken(kube, service);
        return await kube.post<T>(proxyPath(service, path), body, { [TOKEN_HEADER]: token });
      } catch (error) {
        throw explained(error);
      }
    },
  };
}

async function readToken(
  kube: Pick<WritingKube, 'json'>,
  { namespace, name }: ProxiedService,
): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/secrets/${name}`;
  const { data } = await kube.json<{ data?: Record<string, string> }>(path);
  const token = Buffer.from(data?.[TOKEN_KEY] ?? '', 'base64').toString();
  if (token === '') throw new UserError(`Secret ${namespace}/${name} has no ${TOKEN_KEY}`);
  return token;
}

/** What was answered, where it is a JSON object. */
function answerOf({ body }: KubeError): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : undefined;
  } catch {
    return undefined;
  }
}

/** What it refused in its own words; the API server's, where it did not answer itself. */
function explained(error: unknown): unknown {
  if (!(error instanceof KubeError)) return error;
  const answered = answerOf(error);
  const own = answered?.['error'];
  if (typeof own === 'string') return new UserError(`${AUTOSCALER}: ${own}`, { cause: error });
  const why = answered?.['message'];
  return new UserError(
    `${AUTOSCALER} does not answer: ${typeof why === 'string' ? why : error.message}`,
    { cause: error },
  );
}
