import { z } from 'zod';
import { block } from './values';

const cidr = (value: z.ZodType<string>) => z.array(value).min(1, 'must list at least one range');

/**
 * Policies that close every namespace of Berth's but for the flows that its services need; and where nodes are and which addresses are
 * pods', for those of the flows that lead to or from a node.
 */
export const networkPoliciesSchema = block({
  enabled: z.boolean().default(true),
  nodeCidrs: cidr(
    z.union([z.cidrv4(), z.cidrv6()], { error: 'must be a range such as 192.168.1.0/24' }),
  ).default(['0.0.0.0/0']),
  podCidr: z
    .cidrv4({ error: 'must be an IPv4 range such as 10.42.0.0/16' })
    .default('10.42.0.0/16'),
});

export type NetworkPoliciesConfig = z.infer<typeof networkPoliciesSchema>;
