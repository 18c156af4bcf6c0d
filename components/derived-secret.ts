import { createHmac } from 'node:crypto';
import * as pulumi from '@pulumi/pulumi';

/**
 * A secret for one purpose, made of another that the stack has: the same each time, and neither the other nor one for
 * another purpose can be found from it. It has only letters, digits, `-` and `_`, so it can be part of a URL.
 */
export const derivedSecret = (from: pulumi.Input<string>, purpose: string): pulumi.Output<string> =>
  pulumi.secret(
    pulumi
      .output(from)
      .apply((secret) =>
        createHmac('sha256', secret).update(`berth/${purpose}`).digest('base64url'),
      ),
  );
