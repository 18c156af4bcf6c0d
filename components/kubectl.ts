/** Runs kubectl with the kubeconfig of the environment, which never lies in a file that others can read. */
export const withKubectl = (script: string): string =>
  [
    'set -eu',
    'umask 077',
    'KUBECONFIG=$(mktemp)',
    'export KUBECONFIG',
    `trap 'rm -f "$KUBECONFIG"' EXIT`,
    'printf "%s" "$BERTH_KUBECONFIG" > "$KUBECONFIG"',
    script,
  ].join('\n');
