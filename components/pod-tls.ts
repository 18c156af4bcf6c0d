import type * as pulumi from '@pulumi/pulumi';

const VOLUME = 'tls';

/** Where a Secret with tls.crt, tls.key and ca.crt is in a pod, and the parts of the pod that put it there. */
export const podTls = (secretName: pulumi.Input<string>, folder: string) => ({
  files: { cert: `${folder}/tls.crt`, key: `${folder}/tls.key`, ca: `${folder}/ca.crt` },
  // Readable for the group that the pod's volumes have.
  volume: { name: VOLUME, secret: { secretName, defaultMode: 0o440 } },
  volumeMount: { name: VOLUME, mountPath: folder, readOnly: true },
});
