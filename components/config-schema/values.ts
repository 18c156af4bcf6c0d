import { z } from 'zod';

/** A DNS label, such as the name of a namespace. */
export const dnsLabel = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'must be a DNS label: a-z, 0-9 and -, at most 63');
/** The name of a node or a Secret: DNS labels with dots between them. */
const dnsSubdomain = z
  .string()
  .max(253, 'must be at most 253 characters')
  .regex(
    /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
    'must be a DNS name: a-z, 0-9, - and .',
  );
export const nodeName = dnsSubdomain;
export const secretName = dnsSubdomain;
export const labelValue = z
  .string()
  .regex(/^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/, 'must be a Kubernetes label value');
export const labelKey = z
  .string()
  .regex(
    /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/,
    'must be a Kubernetes label key',
  );
export const imageReference = z
  .string()
  .regex(
    /^[\w.-]+(:\d+)?(\/[\w.-]+)*(:[\w.-]+)?(@sha256:[0-9a-f]{64})?$/,
    'must be an image reference',
  );
export const cpuQuantity = z
  .string()
  .regex(/^(\d+m|\d+(\.\d+)?)$/, 'must be a CPU quantity such as 100m');
export const absolutePath = z.string().regex(/^\/[^\s:]*$/, 'must be an absolute path');

/** A number in a range; the range is in every message. */
export const range = (min: number, max: number) => {
  const allowed = `is not in ${min}..${max}`;
  return z
    .number({ error: `must be a number in ${min}..${max}` })
    .min(min, allowed)
    .max(max, allowed);
};
export const wholeRange = (min: number, max: number) =>
  range(min, max).int(`must be a whole number in ${min}..${max}`);

/** An object whose unknown keys are errors and which may be left out whole. */
export const block = <S extends z.ZodRawShape>(shape: S) =>
  z.strictObject(shape).prefault({} as never);

/** A URL, or empty where there is none. */
export const optionalUrl = z.union([z.literal(''), z.url('must be a URL')]);
/** A Helm chart: a path, `oci://…`, or a name in a repository. */
export const chart = z
  .string()
  .min(1, 'must name a chart: a path, oci://…, or a name in the repository');
/** Least level that a service logs. */
export const logLevel = z.enum(['debug', 'info', 'warn', 'error']).default('info');
