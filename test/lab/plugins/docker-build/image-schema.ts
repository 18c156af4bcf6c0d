import { z } from 'zod';

const attribute = z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]);
const attributes = z.record(z.string(), attribute);
const flag = z.boolean().optional();

const exportEntry = z.strictObject({
  raw: z.string().optional(),
  cacheonly: attributes.optional(),
  docker: attributes.optional(),
  image: attributes.optional(),
  local: attributes.optional(),
  oci: attributes.optional(),
  registry: attributes.optional(),
  tar: attributes.optional(),
  disabled: flag,
});

/** A cache; those that live with cloud providers are not implemented, hence refused by name. */
const cacheEntry = z.strictObject({
  raw: z.string().optional(),
  inline: attributes.optional(),
  local: attributes.optional(),
  registry: attributes.optional(),
  disabled: flag,
});

export const registrySchema = z.strictObject({
  address: z.string(),
  username: z.string().optional(),
  password: z.string().optional(),
});

/** The inputs of an image that the lab implements. */
export const imageSchema = z.strictObject({
  context: z.strictObject({
    location: z.string(),
    named: z.record(z.string(), z.strictObject({ location: z.string() })).optional(),
  }),
  dockerfile: z
    .strictObject({ location: z.string().optional(), inline: z.string().optional() })
    .optional(),
  platforms: z.array(z.string().regex(/^\w+\/\w+(\/\w+)?$/, 'must be like linux/arm64')).optional(),
  tags: z.array(z.string()).optional(),
  push: flag,
  load: flag,
  exports: z.array(exportEntry).optional(),
  buildArgs: z.record(z.string(), z.string()).optional(),
  builder: z.strictObject({ name: z.string().optional() }).optional(),
  registries: z.array(registrySchema).optional(),
  cacheFrom: z.array(cacheEntry).optional(),
  cacheTo: z.array(cacheEntry).optional(),
  labels: z.record(z.string(), z.string()).optional(),
  secrets: z.record(z.string(), z.string()).optional(),
  target: z.string().optional(),
  noCache: flag,
  pull: flag,
  network: z.enum(['default', 'host', 'none']).optional(),
  addHosts: z.array(z.string()).optional(),
  buildOnPreview: flag,
});

export type ImageInputs = z.infer<typeof imageSchema>;
export type Registry = z.infer<typeof registrySchema>;
export type Entry = z.infer<typeof exportEntry> | z.infer<typeof cacheEntry>;
