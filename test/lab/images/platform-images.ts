import type { DebianArch } from '../debian';
import { ensurePrograms } from '../programs';
import { ensureTraefik } from '../programs/traefik';
import type { Reporter } from '../report';
import { ensureLayer, type Layer } from './layer';
import { BASE_IMAGE_PACKAGES, baseLayer } from './node-image';
import type { ImageConfig, ImageSpec } from './push';
import { ensureRootfs, type RootfsSpec } from './rootfs';

const NOBODY = '65534';
/** The user of the eclipse-mosquitto image. */
const MOSQUITTO = 1883;
/** The user of the redis and mongo images. */
const STORE = 999;
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

type LayerSpec = Pick<
  RootfsSpec,
  'packages' | 'only' | 'programs' | 'files' | 'folders' | 'remove'
>;

interface PlatformImage {
  readonly name: string;
  readonly tag: string;
  readonly config: ImageConfig;
  /** False where the program needs nothing at all beside itself. */
  readonly onBase: boolean;
  readonly layer: LayerSpec;
}

/** What the estate runs besides Berth's own services, under upstream's names and with upstream's ways to start. */
export async function platformImages(arch: DebianArch, reporter: Reporter): Promise<ImageSpec[]> {
  const [programs, traefik] = await Promise.all([
    ensurePrograms(
      [
        ...(['prometheus', 'coredns', 'pause', 'kube-scheduler', 'keda'] as const),
        ...(['local-path-provisioner', 'metrics-server', 'kube-state-metrics'] as const),
        ...(['mongodb-stand-in'] as const),
      ],
      reporter,
    ),
    ensureTraefik(reporter),
  ]);
  const table: PlatformImage[] = [
    {
      name: 'prometheus/prometheus',
      tag: 'v3.11.3',
      onBase: true,
      config: { Entrypoint: ['/bin/prometheus'], User: NOBODY, WorkingDir: '/prometheus' },
      layer: {
        packages: [],
        programs: { 'usr/bin/prometheus': programs.prometheus },
        folders: { prometheus: Number(NOBODY) },
      },
    },
    {
      name: 'prometheus/node-exporter',
      tag: 'v1.5.0',
      onBase: true,
      config: { Entrypoint: ['/bin/prometheus-node-exporter'], User: NOBODY },
      layer: { packages: ['prometheus-node-exporter'], only: ['prometheus-node-exporter'] },
    },
    {
      name: 'library/eclipse-mosquitto',
      tag: '2',
      onBase: true,
      config: {
        Cmd: ['/usr/sbin/mosquitto', '-c', '/mosquitto/config/mosquitto.conf'],
        User: String(MOSQUITTO),
        Env: [PATH],
        ExposedPorts: { '1883/tcp': {} },
      },
      layer: {
        packages: ['mosquitto'],
        files: {
          'etc/passwd': `root:x:0:0:root:/root:/bin/sh\nmosquitto:x:${MOSQUITTO}:${MOSQUITTO}::/mosquitto:/bin/sh\n`,
          'etc/group': `root:x:0:\nmosquitto:x:${MOSQUITTO}:\n`,
          'mosquitto/config/mosquitto.conf': 'listener 1883\nallow_anonymous true\n',
        },
        folders: { 'mosquitto/data': MOSQUITTO, 'mosquitto/log': MOSQUITTO },
      },
    },
    {
      name: 'library/redis',
      tag: '7',
      onBase: true,
      config: {
        Cmd: ['redis-server'],
        User: String(STORE),
        WorkingDir: '/data',
        Env: [PATH],
        ExposedPorts: { '6379/tcp': {} },
      },
      layer: { packages: ['redis-server'], folders: { data: STORE } },
    },
    {
      // Not MongoDB, which no registry of packages has, but what its clients see of it: programs/go/mongodb-stand-in.
      name: 'library/mongo',
      tag: '7',
      onBase: false,
      config: {
        Entrypoint: ['/mongodb-stand-in', '--bind_ip', '0.0.0.0'],
        User: String(STORE),
        WorkingDir: '/',
        ExposedPorts: { '27017/tcp': {} },
      },
      layer: {
        packages: [],
        programs: { 'mongodb-stand-in': programs['mongodb-stand-in'] },
        folders: { 'data/db': STORE, tmp: STORE },
      },
    },
    {
      name: 'coredns/coredns',
      tag: '1.14.6',
      onBase: false,
      config: { Entrypoint: ['/coredns'], WorkingDir: '/', ExposedPorts: { '53/udp': {} } },
      layer: { packages: [], programs: { coredns: programs.coredns } },
    },
    {
      name: 'rancher/local-path-provisioner',
      tag: 'v0.0.30',
      onBase: false,
      config: { Entrypoint: ['/local-path-provisioner'], WorkingDir: '/' },
      layer: {
        packages: [],
        programs: { 'local-path-provisioner': programs['local-path-provisioner'] },
      },
    },
    {
      // Of busybox only what makes and removes a folder is needed, and the base has that.
      name: 'rancher/mirrored-library-busybox',
      tag: '1.37.0',
      onBase: true,
      config: { Cmd: ['sh'], Env: [PATH] },
      layer: { packages: [] },
    },
    {
      name: 'pause',
      tag: '3.10',
      onBase: false,
      config: { Entrypoint: ['/pause'], User: '65535:65535', WorkingDir: '/' },
      layer: { packages: [], programs: { pause: programs.pause } },
    },
    {
      name: 'kube-scheduler',
      tag: 'v1.36.3',
      onBase: false,
      config: { Entrypoint: ['/usr/local/bin/kube-scheduler'], Env: [PATH], WorkingDir: '/' },
      layer: {
        packages: [],
        programs: { 'usr/local/bin/kube-scheduler': programs['kube-scheduler'] },
      },
    },
    {
      name: 'kedacore/keda',
      tag: '2.21.0',
      onBase: false,
      config: {
        Entrypoint: ['/keda', '--zap-log-level=info', '--zap-encoder=console'],
        User: '65532:65532',
        WorkingDir: '/',
      },
      layer: { packages: [], programs: { keda: programs.keda } },
    },
    {
      name: 'library/traefik',
      tag: 'v3.7.10',
      onBase: false,
      config: {
        Entrypoint: ['/usr/local/bin/traefik'],
        WorkingDir: '/',
        ExposedPorts: { '80/tcp': {} },
      },
      layer: { packages: [], programs: { 'usr/local/bin/traefik': traefik } },
    },
    {
      name: 'metrics-server/metrics-server',
      tag: 'v0.9.0',
      onBase: false,
      config: { Entrypoint: ['/metrics-server'], User: NOBODY, WorkingDir: '/' },
      layer: { packages: [], programs: { 'metrics-server': programs['metrics-server'] } },
    },
    {
      name: 'kube-state-metrics/kube-state-metrics',
      tag: 'v2.18.0',
      onBase: false,
      config: { Entrypoint: ['/kube-state-metrics'], User: NOBODY, WorkingDir: '/' },
      layer: { packages: [], programs: { 'kube-state-metrics': programs['kube-state-metrics'] } },
    },
  ];
  const images: ImageSpec[] = [];
  for (const { onBase, layer, name, tag, config } of table) {
    const spec = { name: name.replace('/', '-'), arch, over: BASE_IMAGE_PACKAGES, ...layer };
    const own = await ensureLayer(await ensureRootfs(spec, reporter));
    const layers: Layer[] = onBase ? [await baseLayer(arch, reporter), own] : [own];
    images.push({ name, tag, config, layers: { [arch]: layers } });
  }
  return images;
}
