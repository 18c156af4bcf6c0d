import type { Architecture } from '../../config-schema';
import { PATHS, unitOf, type HostRole } from './paths';
import { quoted } from './shell';

/** A file that is fetched, and what it must be. */
export interface CheckedFile {
  /** http(s) URL, or absolute path on the host. */
  readonly from: string;
  /** In 64 hexadecimal digits. */
  readonly sha256: string;
  /** Key of the configuration that says so, for the error. */
  readonly sha256Key: string;
}

/** What k3s is to be on one host. None of it is secret. */
export interface InstallSettings {
  readonly role: HostRole;
  readonly arch: Architecture;
  /** Release of k3s, such as v1.36.3+k3s1. */
  readonly version: string;
  readonly binary: CheckedFile;
  /** Archive of images for a host without a registry, as a file on the host. */
  readonly images?: CheckedFile | undefined;
  /** Content of k3s's config.yaml, without tokens. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Content of k3s's registries.yaml; empty for none. */
  readonly registries: Readonly<Record<string, unknown>>;
  readonly readyTimeoutSeconds: number;
}

const MACHINES: Readonly<Record<Architecture, string>> = { amd64: 'x86_64', arm64: 'aarch64' };
/** No line of JSON is this one. */
const END = 'BERTH_END';

/**
 * A POSIX shell script that makes a host what the settings say, run by root. It reads secrets from stdin, a line each:
 * the token to join with and, for a server, the token that agents join with. Run again it changes nothing; k3s is
 * restarted exactly where what it was last started with is not what is there now, so a run that was cut short is
 * mended by the next one. Its last line says `restarted` or `unchanged`.
 */
export function installScript(settings: InstallSettings): string {
  const { role, arch, version, readyTimeoutSeconds: seconds } = settings;
  const unit = unitOf(role);
  return [
    ...PROLOGUE,
    `[ "$(uname -m)" = ${MACHINES[arch]} ] || fail "this host is $(uname -m), and its arch in the configuration is ${arch}"`,
    `token=$(secret)`,
    ...(role === 'server' ? [`agent_token=$(secret)`] : []),
    `mkdir -p /etc/rancher/k3s /usr/local/bin`,
    `chmod 700 /etc/rancher /etc/rancher/k3s`,
    ...install(PATHS.binary, settings.binary, '755'),
    ...(settings.images === undefined ? [] : installImages(settings.images)),
    `have=$(${PATHS.binary} --version) || fail "${PATHS.binary} does not run on this host"`,
    `case $have in`,
    `*" ${version} "*) ;;`,
    `*) fail "${settings.binary.from} is not k3s ${version}: $have" ;;`,
    `esac`,
    `[ -e /usr/local/bin/kubectl ] || ln -s k3s /usr/local/bin/kubectl`,
    ...document(PATHS.config, settings.config),
    ...(Object.keys(settings.registries).length > 0
      ? document(PATHS.registries, settings.registries)
      : [`rm -f ${PATHS.registries}`]),
    `put ${PATHS.token} 600 <<EOF`,
    `$token`,
    `EOF`,
    ...(role === 'server' ? [`put ${PATHS.agentToken} 600 <<EOF`, `$agent_token`, `EOF`] : []),
    `put /etc/systemd/system/${unit}.service 644 <<'${END}'`,
    serviceUnit(role),
    END,
    ...start(unit, role, seconds),
  ].join('\n');
}

const PROLOGUE = [
  `set -eu`,
  `umask 077`,
  `fail() { echo "$1" >&2; exit 1; }`,
  `[ "$(id -u)" = 0 ] || fail "k3s is installed by root: let the user run sudo without a password"`,
  `exec 9>${PATHS.lock}`,
  `flock -w 600 9 || fail "another run is still at work on this host"`,
  // A line of stdin; an empty one is no secret.
  `secret() { IFS= read -r line || [ -n "$line" ] || fail "a token is missing on stdin"; printf '%s\\n' "$line"; }`,
  // Writes stdin to a file, with a mode, unless it is just that already.
  `put() {`,
  `  cat >"$1.new"`,
  `  chmod "$2" "$1.new"`,
  `  if cmp -s "$1.new" "$1"; then rm "$1.new"; else mv -f "$1.new" "$1"; fi`,
  `}`,
  `sum() { sha256sum "$1" | cut -d ' ' -f 1; }`,
];

/** Puts a file in place, unless the very same is there; nothing that is not what it should be takes its place. */
function install(to: string, file: CheckedFile, mode: string): string[] {
  const got = quoted(`${to}.new`);
  return [
    `if ! [ -e ${to} ] || [ "$(sum ${to})" != ${file.sha256} ]; then`,
    ...fetch(file.from, got).map((line) => `  ${line}`),
    `  [ "$(sum ${got})" = ${file.sha256} ] || {`,
    `    got=$(sum ${got})`,
    `    rm -f ${got}`,
    `    fail "the sha256 of ${file.from} is $got, and not what ${file.sha256Key} says"`,
    `  }`,
    `  chmod ${mode} ${got}`,
    `  mv -f ${got} ${to}`,
    `fi`,
  ];
}

function fetch(from: string, to: string): string[] {
  const source = quoted(from);
  if (from.startsWith('/'))
    return [`cp ${source} ${to} || fail "cannot read ${from} on this host"`];
  return [
    `if command -v curl >/dev/null; then`,
    `  curl -fsSL --retry 3 -o ${to} ${source} || fail "cannot fetch ${from}"`,
    `else`,
    `  wget -q -O ${to} ${source} || fail "cannot fetch ${from}"`,
    `fi`,
  ];
}

function installImages(images: CheckedFile): string[] {
  const name = images.from.slice(images.from.lastIndexOf('/') + 1);
  return [`mkdir -p ${PATHS.images}`, ...install(`${PATHS.images}/${name}`, images, '600')];
}

/** JSON is YAML too, and has no line that could end the text early. */
const document = (file: string, content: unknown): string[] => [
  `put ${file} 600 <<'${END}'`,
  JSON.stringify(content, null, 2),
  END,
];

/** The unit that k3s's own installer writes. */
function serviceUnit(role: HostRole): string {
  return [
    `[Unit]`,
    `Description=k3s ${role}`,
    `Documentation=https://k3s.io`,
    `Wants=network-online.target`,
    `After=network-online.target`,
    ``,
    `[Install]`,
    `WantedBy=multi-user.target`,
    ``,
    `[Service]`,
    `Type=${role === 'server' ? 'notify' : 'exec'}`,
    // Pods go on while k3s is restarted.
    `KillMode=process`,
    `Delegate=yes`,
    `LimitNOFILE=1048576`,
    `LimitNPROC=infinity`,
    `LimitCORE=infinity`,
    `TasksMax=infinity`,
    `TimeoutStartSec=0`,
    `Restart=always`,
    `RestartSec=5s`,
    `ExecStartPre=-/sbin/modprobe br_netfilter`,
    `ExecStartPre=-/sbin/modprobe overlay`,
    `ExecStart=${PATHS.binary} ${role}`,
  ].join('\n');
}

function start(unit: string, role: HostRole, seconds: number): string[] {
  const files = [
    ...[PATHS.binary, PATHS.config, PATHS.token],
    ...(role === 'server' ? [PATHS.agentToken] : []),
    `/etc/systemd/system/${unit}.service`,
  ];
  const ready =
    role === 'server'
      ? `[ -s ${PATHS.fullAgentToken} ] && ${PATHS.binary} kubectl get --raw /readyz >/dev/null 2>&1`
      : `systemctl is-active --quiet ${unit}`;
  return [
    `want=$({ cat ${files.join(' ')}; cat ${PATHS.registries} 2>/dev/null || true; } | sha256sum | cut -d ' ' -f 1)`,
    `did=unchanged`,
    `systemctl is-enabled --quiet ${unit} 2>/dev/null || systemctl enable --quiet ${unit}`,
    `if [ "$(cat ${PATHS.applied} 2>/dev/null || true)" != "$want" ] || ! systemctl is-active --quiet ${unit}; then`,
    `  did=restarted`,
    `  systemctl daemon-reload`,
    `  timeout ${seconds} systemctl restart ${unit} || fail "${unit} did not start: $(journalctl -q -u ${unit} -n 20 2>&1 || true)"`,
    `fi`,
    `deadline=$(($(date +%s) + ${seconds}))`,
    `until ${ready}; do`,
    `  [ "$(date +%s)" -lt "$deadline" ] ||`,
    `    fail "${unit} is not ready within ${seconds} s: $(journalctl -q -u ${unit} -n 20 2>&1 || true)"`,
    `  sleep 1`,
    `done`,
    `put ${PATHS.applied} 600 <<EOF`,
    `$want`,
    `EOF`,
    `echo "$did"`,
  ];
}
