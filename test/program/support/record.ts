import * as pulumi from '@pulumi/pulumi';
import { getMonitor } from '@pulumi/pulumi/runtime/settings';

/** A resource as the program declared it to the engine. */
export interface Declared {
  readonly type: string;
  readonly name: string;
  readonly inputs: Record<string, unknown>;
  /** The engine refuses to delete or replace it. */
  readonly protect: boolean;
}

/**
 * Runs a declaration against Pulumi's mocks, which stand in for the engine and every provider.
 * @returns the resources in the order in which they were registered, and what the declaration returned.
 */
export async function record<T>(declare: () => T): Promise<{ declared: Declared[]; result: T }> {
  const declared: Declared[] = [];
  const kept = new Set<string>();
  await pulumi.runtime.setMocks(
    {
      newResource: (args) => {
        const { type, name, inputs } = args;
        declared.push({ type, name, inputs, protect: kept.has(`${type}::${name}`) });
        return { id: `${args.name}-id`, state: { ...args.inputs, ...outputsOf(args) } };
      },
      call: (args) => {
        throw new Error(`the program must not call ${args.token}`);
      },
    },
    'berth',
    'dev',
    false,
  );
  noteProtected(kept);
  const result = declare();
  await settle();
  return { declared, result };
}

/** Notes what is registered as protected, which the mocks are not told. */
function noteProtected(kept: Set<string>): void {
  const monitor = getMonitor() as unknown as Monitor;
  const { registerResource } = monitor;
  monitor.registerResource = (request, ...rest) => {
    if (request.getProtect()) kept.add(`${request.getType()}::${request.getName()}`);
    return registerResource.call(monitor, request, ...rest);
  };
}

interface Monitor {
  registerResource(request: RegisterRequest, ...rest: readonly unknown[]): unknown;
}
interface RegisterRequest {
  getType(): string;
  getName(): string;
  getProtect(): boolean;
}

/** The outputs that providers add and that the program reads. */
function outputsOf(args: pulumi.runtime.MockResourceArgs): Record<string, unknown> {
  if (args.type === 'docker-build:index:Image') return { digest: `sha256:${'0'.repeat(64)}` };
  if (args.type === 'kubernetes:helm.sh/v3:Release')
    return { status: { namespace: args.inputs.namespace, name: args.inputs.name } };
  if (args.type === 'docker:index/container:Container') {
    const networks = (args.inputs.networksAdvanced ?? []) as { readonly name: string }[];
    return {
      networkDatas: networks.map(({ name }) => ({ networkName: name, ipAddress: '172.18.0.9' })),
    };
  }
  if (args.type === 'tls:index/privateKey:PrivateKey')
    return { privateKeyPem: `key of ${args.name}` };
  if (args.type === 'tls:index/certRequest:CertRequest')
    return { certRequestPem: `request of ${args.name}` };
  if (args.type.startsWith('tls:index/')) return { certPem: `certificate of ${args.name}` };
  if (args.type === 'command:remote:Command')
    return { stdout: `K10${'0'.repeat(64)}::node:agent-secret\n`, stderr: '' };
  if (args.type === 'command:local:Command')
    return { stdout: 'clusters:\n- cluster:\n    server: https://127.0.0.1:6443\n', stderr: '' };
  return {};
}

/** Awaits all registrations that are under way. */
async function settle(): Promise<void> {
  await pulumi.runtime.disconnect();
}

/** The plain value of an output, and whether it is secret. */
export async function resolved<T>(
  output: pulumi.Output<T>,
): Promise<{ value: T; secret: boolean }> {
  const secret = await pulumi.isSecret(output);
  const value = await new Promise<T>((resolve) => output.apply((inner) => resolve(inner)));
  return { value, secret };
}

/** The one resource of a type and name. */
export function only(declared: readonly Declared[], type: string, name?: string): Declared {
  const found = declared.filter(
    (one) => one.type === type && (name === undefined || one.name === name),
  );
  const [first] = found;
  if (found.length !== 1 || first === undefined)
    throw new Error(`${found.length} resources of type ${type}${name ? ` named ${name}` : ''}`);
  return first;
}
