import { z } from 'zod';
import { labelsSchema } from './labels';

const text = z.string().optional();
const texts = z.array(z.string()).optional();
const flag = z.boolean().optional();
const integer = z.number().int().optional();
const textMap = z.record(z.string(), z.string()).optional();

/** The inputs of a container that the lab implements; memory sizes are in MiB, times in seconds. */
export const containerSchema = z.strictObject({
  image: z.string().min(1),
  name: text,
  hostname: text,
  domainname: text,
  command: z.array(z.string().min(1, 'values for command may not be empty')).optional(),
  entrypoints: texts,
  envs: texts,
  user: text,
  workingDir: text,
  labels: labelsSchema.optional(),
  ports: z
    .array(
      z.strictObject({
        internal: z.number().int().min(1).max(65535),
        external: z.number().int().min(0).max(65535).optional(),
        ip: text,
        protocol: z.enum(['tcp', 'udp', 'sctp']).optional(),
      }),
    )
    .optional(),
  publishAllPorts: flag,
  networkMode: text,
  networksAdvanced: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        aliases: texts,
        ipv4Address: text,
        ipv6Address: text,
      }),
    )
    .optional(),
  hosts: z.array(z.strictObject({ host: z.string(), ip: z.string() })).optional(),
  dns: texts,
  dnsOpts: texts,
  dnsSearches: texts,
  volumes: z
    .array(
      z.strictObject({
        containerPath: text,
        hostPath: text,
        volumeName: text,
        fromContainer: text,
        readOnly: flag,
        selinuxRelabel: z.enum(['z', 'Z']).optional(),
      }),
    )
    .optional(),
  tmpfs: textMap,
  uploads: z
    .array(
      z.strictObject({
        file: z.string().startsWith('/', 'must be an absolute path in the container'),
        content: text,
        contentBase64: text,
        source: text,
        sourceHash: text,
        executable: flag,
        permissions: z
          .string()
          .regex(/^0?[0-7]{3,4}$/, 'must be an octal mode such as 0644')
          .optional(),
      }),
    )
    .optional(),
  devices: z
    .array(z.strictObject({ hostPath: z.string(), containerPath: text, permissions: text }))
    .optional(),
  capabilities: z.strictObject({ adds: texts, drops: texts }).optional(),
  securityOpts: texts,
  privileged: flag,
  cgroupnsMode: z.enum(['private', 'host', '']).optional(),
  cgroupParent: text,
  ipcMode: text,
  pidMode: text,
  usernsMode: text,
  groupAdds: texts,
  sysctls: textMap,
  ulimits: z
    .array(z.strictObject({ name: z.string(), soft: z.number().int(), hard: z.number().int() }))
    .optional(),
  cpus: z
    .string()
    .regex(/^\d+(\.\d+)?$/, 'must be a number of processors such as "0.5"')
    .optional(),
  cpuShares: integer,
  cpuSet: text,
  cpuPeriod: integer,
  cpuQuota: integer,
  memory: integer,
  memoryReservation: integer,
  memorySwap: z.number().int().min(-1).optional(),
  shmSize: integer,
  restart: z
    .enum(['no', 'on-failure', 'always', 'unless-stopped'], {
      error: 'must be one of no, on-failure, always, unless-stopped',
    })
    .optional(),
  maxRetryCount: integer,
  init: flag,
  readOnly: flag,
  runtime: text,
  logDriver: text,
  logOpts: textMap,
  tty: flag,
  stdinOpen: flag,
  stopSignal: text,
  stopTimeout: integer,
  healthcheck: z
    .strictObject({
      tests: z.array(z.string()),
      interval: text,
      timeout: text,
      startPeriod: text,
      retries: integer,
    })
    .optional(),
  rm: flag,
  start: flag,
  mustRun: flag,
  wait: flag,
  waitTimeout: z.number().int().min(1).optional(),
  attach: flag,
  logs: flag,
  removeVolumes: flag,
  destroyGraceSeconds: z.number().int().min(0).optional(),
  containerReadRefreshTimeoutMilliseconds: integer,
});

export type ContainerInputs = z.infer<typeof containerSchema>;

/** What the official provider fills in. */
export const containerDefaults = {
  attach: false,
  containerReadRefreshTimeoutMilliseconds: 15_000,
  logs: false,
  memoryReservation: 0,
  mustRun: true,
  networkMode: 'bridge',
  readOnly: false,
  removeVolumes: true,
  restart: 'no',
  rm: false,
  start: true,
  stdinOpen: false,
  tty: false,
  wait: false,
  waitTimeout: 60,
} satisfies Partial<ContainerInputs>;

/** Changes of these reach a running container. */
export const UPDATED_LIVE = [
  'cpuSet',
  'cpuShares',
  'maxRetryCount',
  'memory',
  'memoryReservation',
  'memorySwap',
  'restart',
] as const;

/** Changes of these are only noted, as by the official provider: they matter when the container is next made. */
export const NOTED_ONLY = ['cpuPeriod', 'cpuQuota', 'healthcheck', 'init', 'tmpfs'] as const;

/** These concern what the provider does, not the container; a change is noted and counts from then on. */
const HANDLING = [
  'attach',
  'containerReadRefreshTimeoutMilliseconds',
  'destroyGraceSeconds',
  'logs',
  'mustRun',
  'removeVolumes',
  'rm',
  'start',
  'wait',
  'waitTimeout',
];

/** Any other change takes a new container. */
export const REPLACE_ON = Object.keys(containerSchema.shape).filter(
  (key) => ![...UPDATED_LIVE, ...NOTED_ONLY, ...HANDLING].includes(key),
);

/** Lists whose order means nothing. */
export const SETS = [
  'capabilities',
  'devices',
  'dns',
  'dnsOpts',
  'dnsSearches',
  'envs',
  'groupAdds',
  'hosts',
  'labels',
  'networksAdvanced',
  'securityOpts',
  'ulimits',
  'uploads',
  'volumes',
];
