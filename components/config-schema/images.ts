import { z } from 'zod';
import { block, imageReference } from './values';

export const imagesSchema = block({
  registry: imageReference.default('localhost:5000/berth'),
  username: z.string().default(''),
  platforms: z
    .array(z.enum(['linux/amd64', 'linux/arm64']))
    .min(1, 'must name at least one platform')
    .default(['linux/amd64', 'linux/arm64']),
  baseImage: imageReference.default('node:22-bookworm-slim'),
  builder: z.string().default(''),
});

export type ImagesConfig = z.infer<typeof imagesSchema>;
