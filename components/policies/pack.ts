import { PolicyPack } from '@pulumi/policy';
import { POLICIES, unexcused } from './policies';

/** The policies as Pulumi's engine knows them: a violation ends a preview or an update before it changes anything. */
new PolicyPack('berth', {
  enforcementLevel: 'mandatory',
  policies: POLICIES.map((policy) => ({
    name: policy.name,
    description: policy.description,
    validateResource: ({ type, name, props }, reportViolation) => {
      const resource = { type, name, inputs: props as Record<string, unknown> };
      for (const { text } of unexcused(policy, resource)) reportViolation(`${name}: ${text}`);
    },
  })),
});
