import { PATHS } from './paths';

const DATA = '/var/lib/rancher/k3s';
/** Where a copy lies on a server before it is fetched. */
const COPY = `${DATA}/berth-backup`;

const PROLOGUE = [
  `set -eu`,
  `umask 077`,
  // What is asked for is all that standard output gets.
  `exec 3>&1 1>&2`,
  `fail() { echo "$1" >&2; exit 1; }`,
  `[ "$(id -u)" = 0 ] || fail "k3s's data are root's: let the user run sudo without a password"`,
  `exec 9>${PATHS.lock}`,
  `flock -w 600 9 || fail "another run is still at work on this host"`,
];

const hasData = `[ -d ${DATA}/server/db ] || fail "this host has no data of a k3s server in ${DATA}/server/db"`;

const awaitReady = (seconds: number): string[] => [
  `deadline=$(($(date +%s) + ${seconds}))`,
  `until ${PATHS.binary} kubectl get --raw /readyz >/dev/null 2>&1; do`,
  `  [ "$(date +%s)" -lt "$deadline" ] || fail "k3s is not ready within ${seconds} s"`,
  `  sleep 1`,
  `done`,
];

/**
 * A POSIX shell script that writes a tar archive of a lone server's data (datastore, certificate authorities, tokens) to
 * standard output. k3s is stopped while they are copied on the host, since a copy of a database that is written to is
 * none; pods go on. However the script ends, k3s runs again if it ran before.
 */
export function copyServerScript(readyTimeoutSeconds: number): string {
  return [
    ...PROLOGUE,
    hasData,
    `rm -rf ${COPY}`,
    `mkdir ${COPY}`,
    `ran=false`,
    `systemctl is-active --quiet k3s && ran=true`,
    `trap 'rm -rf ${COPY}; if [ "$ran" = true ]; then systemctl start k3s; fi' EXIT`,
    `trap 'exit 1' HUP INT TERM PIPE`,
    `systemctl stop k3s`,
    `tar -C ${DATA} -cf ${COPY}/server.tar server`,
    `if [ "$ran" = true ]; then`,
    `  systemctl start k3s`,
    ...awaitReady(readyTimeoutSeconds).map((line) => `  ${line}`),
    `fi`,
    `cat ${COPY}/server.tar >&3`,
  ].join('\n');
}

/**
 * A POSIX shell script that puts such an archive, read from standard input, in the place of a lone server's data. It is
 * there whole before k3s is stopped. What was there before is kept beside it.
 * @param sha256 of the archive: one that was cut off between two files looks whole.
 */
export function replaceServerScript(sha256: string, readyTimeoutSeconds: number): string {
  const before = `${DATA}/server.before-$(date -u +%Y%m%dT%H%M%SZ)`;
  return [
    ...PROLOGUE,
    `[ -x ${PATHS.binary} ] || fail "k3s is not installed on this host: npm run up first"`,
    `rm -rf ${COPY}`,
    `mkdir -p ${COPY}`,
    `trap 'rm -rf ${COPY}' EXIT`,
    `trap 'exit 1' HUP INT TERM PIPE`,
    `cat >${COPY}/server.tar`,
    `[ "$(sha256sum ${COPY}/server.tar | cut -d ' ' -f 1)" = ${sha256} ] || fail "the copy did not arrive whole: nothing was changed"`,
    `tar -C ${COPY} -xpf ${COPY}/server.tar`,
    `[ -d ${COPY}/server/db ] || fail "this is no copy of a k3s server's data: nothing was changed"`,
    `systemctl stop k3s`,
    `if [ -d ${DATA}/server ]; then`,
    `  before="${before}"`,
    `  mv ${DATA}/server "$before"`,
    `  echo "what was there is kept in $before" >&3`,
    `fi`,
    `mv ${COPY}/server ${DATA}/server`,
    `systemctl start k3s || fail "k3s did not start: $(journalctl -q -u k3s -n 20 2>&1 || true)"`,
    ...awaitReady(readyTimeoutSeconds),
  ].join('\n');
}
