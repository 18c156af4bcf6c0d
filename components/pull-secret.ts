import * as kubernetes from '@pulumi/kubernetes';
import * as pulumi from '@pulumi/pulumi';
import type { ImagesConfig } from './config-schema';

export interface PullSecretArgs {
  readonly namespace: pulumi.Input<string>;
  readonly images: ImagesConfig;
  /** Password of images.username, where that is set. */
  readonly registryPassword?: pulumi.Input<string> | undefined;
}

/** What a pod needs to pull from the private registry; none where the registry asks for no user. */
export function pullSecrets(
  name: string,
  { namespace, images, registryPassword }: PullSecretArgs,
  options: pulumi.CustomResourceOptions,
): { readonly name: pulumi.Output<string> }[] {
  if (images.username === '' || registryPassword === undefined) return [];
  const [registry = images.registry] = images.registry.split('/');
  const dockerConfig = pulumi.secret(registryPassword).apply((password) => {
    const auth = Buffer.from(`${images.username}:${password}`).toString('base64');
    const login = { username: images.username, password, auth };
    return JSON.stringify({ auths: { [registry]: login } });
  });
  const secret = new kubernetes.core.v1.Secret(
    name,
    {
      metadata: { name, namespace },
      type: 'kubernetes.io/dockerconfigjson',
      stringData: { '.dockerconfigjson': dockerConfig },
    },
    options,
  );
  return [{ name: secret.metadata.name }];
}
