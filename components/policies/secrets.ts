import { containersOf, fieldsAt, isFields, labelOf, listAt, podOf } from './pods';
import type { EstatePolicy, PolicyResource, Violation } from './types';

/** A name that says of its value that nobody may see it: DB_PASSWORD, apiToken, tls.key. */
const SECRET_NAME =
  /(^|[_.-])(password|passwd|token|secret|credentials?|api[_.-]?key|private[_.-]?key|tls\.key)([_.-]|$)/i;
/** A name of where a secret is, not of what it is. */
const PLACE_NAME = /^existing|(file|path|dir|name|ref|namespace)$/i;
const PRIVATE_KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----/;

/**
 * What everybody who may read a pod or a ConfigMap can see holds no secret. It judges by the place and not by whether
 * Pulumi keeps the value secret: in these places it is in plain text in the cluster.
 */
export const noPlainSecrets: EstatePolicy = {
  name: 'no-plain-secrets',
  description:
    "Secrets are in Secrets, never in a pod's variables, a ConfigMap or a chart's values",
  violations: (resource) => [
    ...variables(resource),
    ...configMapKeys(resource),
    ...chartValues(resource),
  ],
};

function variables(resource: PolicyResource): Violation[] {
  const pod = podOf(resource);
  if (pod === undefined) return [];
  return containersOf(pod).flatMap((container) =>
    listAt(container, 'env')
      .filter(({ name, value }) => isPlainSecret(String(name), value))
      .map(({ name }) => ({
        subject: labelOf(container),
        text: `${labelOf(container)}: variable ${String(name)} must come from a Secret (valueFrom.secretKeyRef)`,
      })),
  );
}

function configMapKeys({ type, inputs }: PolicyResource): Violation[] {
  if (type !== 'kubernetes:core/v1:ConfigMap') return [];
  return Object.entries(fieldsAt(inputs, 'data'))
    .filter(([name, value]) => isPlainSecret(name, value))
    .map(([name]) => ({ subject: `key ${name}`, text: `data.${name} must be in a Secret` }));
}

function chartValues({ type, inputs }: PolicyResource): Violation[] {
  if (type !== 'kubernetes:helm.sh/v3:Release') return [];
  return leaves(fieldsAt(inputs, 'values'), 'values')
    .filter(({ name, value }) => isPlainSecret(spaced(name), value))
    .map(({ path }) => ({
      subject: path,
      text: `${path} must be in a Secret that the chart is given the name of`,
    }));
}

function isPlainSecret(name: string, value: unknown): boolean {
  if (typeof value !== 'string' || value === '') return false;
  return PRIVATE_KEY.test(value) || (SECRET_NAME.test(name) && !PLACE_NAME.test(name));
}

/** `adminPassword` is `admin_Password`. */
const spaced = (name: string) => name.replace(/([a-z])([A-Z])/g, '$1_$2');

function leaves(value: unknown, path: string): { path: string; name: string; value: unknown }[] {
  if (isFields(value))
    return Object.entries(value).flatMap(([key, inner]) => leaves(inner, `${path}.${key}`));
  if (Array.isArray(value))
    return (value as unknown[]).flatMap((inner, index) => leaves(inner, `${path}[${index}]`));
  return [{ path, name: path.split('.').at(-1) ?? path, value }];
}
