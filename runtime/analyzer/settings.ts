import { z } from 'zod';
import {
  booleanSetting,
  defineSettings,
  integerSetting,
  numberSetting,
  stringSetting,
  type SettingsOf,
} from '../shared/settings';
import { logSettings, mqttSettings } from '../shared/service-settings';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const DAY = 24 * 60 * MINUTE;
const MIB = 1024 * 1024;

/** Every setting of the analyzer; the components generate the container's environment from it. */
export const analyzerSettings = defineSettings({
  app: {
    env: 'APP',
    description:
      'Which of the ten analyzers this is; part of the job name, the CSV and the client id',
    schema: z
      .string()
      .regex(/^pi1(-[1-9])?$/, 'must be pi1, pi1-1 … pi1-9')
      .default('pi1'),
  },
  nodeName: {
    env: 'NODE_NAME',
    description: 'Name of the node it runs on, for the rows; empty where there is none',
    schema: stringSetting(''),
  },
  mqttBroker: {
    env: 'MQTT_BROKER',
    description: 'Host of the MQTT broker that images come from; exactly one of it and IMAGE_DIR',
    schema: stringSetting(''),
  },
  ...mqttSettings,
  mqttTopic: {
    env: 'MQTT_TOPIC',
    description: 'Topic filter to subscribe to',
    schema: stringSetting('images/#'),
  },
  mqttConnectTimeoutMs: {
    env: 'MQTT_CONNECT_TIMEOUT_MS',
    description: 'How long the broker may be out of reach at the start before the job fails',
    unit: 'ms',
    schema: integerSetting(SECOND, 60 * MINUTE, 2 * MINUTE),
  },
  imageDir: {
    env: 'IMAGE_DIR',
    description:
      'Folder to read images from, once each in the order of their names, instead of MQTT',
    schema: stringSetting(''),
  },
  outputDir: {
    env: 'OUTPUT_DIR',
    description: 'Folder that the annotated images are written to',
    schema: stringSetting('/var/lib/posture/analyzed_images'),
  },
  csvPath: {
    env: 'CSV_PATH',
    description: 'File that the rows are appended to; empty means OUTPUT_DIR/posture-APP.csv',
    schema: stringSetting(''),
  },
  workers: {
    env: 'NUM_WORKERS',
    description: 'Threads that analyze at the same time; each has its own model (about 100 MiB)',
    schema: integerSetting(1, 16, 1),
  },
  maxImages: {
    env: 'MAX_IMAGES',
    description: 'The job ends after this many images; 0 means no limit',
    schema: integerSetting(0, 1_000_000_000, 0),
  },
  idleTimeoutMs: {
    env: 'IDLE_TIMEOUT_MS',
    description:
      'The job ends this long after the last image, or after it was ready; 0 means never',
    unit: 'ms',
    schema: integerSetting(0, 7 * DAY, MINUTE),
  },
  maxImageBytes: {
    env: 'MAX_IMAGE_BYTES',
    description: 'A larger image is not decoded and gives an Error row',
    unit: 'bytes',
    schema: integerSetting(1, 256 * MIB, 10 * MIB),
  },
  maxImagePixels: {
    env: 'MAX_IMAGE_PIXELS',
    description: 'An image of more pixels is not decoded and gives an Error row',
    unit: 'pixels',
    schema: integerSetting(1, 100_000_000, 8_300_000),
  },
  imageTimeoutMs: {
    env: 'IMAGE_TIMEOUT_MS',
    description:
      'A worker that takes longer for one image is replaced; the image gives an Error row',
    unit: 'ms',
    schema: integerSetting(100, MINUTE, 30 * SECOND),
  },
  minConfidence: {
    env: 'MIN_CONFIDENCE',
    description:
      'Ear, shoulder and hip must each be seen with at least this confidence, else NoPose',
    unit: 'ratio 0..1',
    schema: numberSetting(0, 1, 0.3),
  },
  dbEnabled: {
    env: 'DB_ENABLED',
    description: 'Also write the rows to table posture_log of a PostgreSQL database',
    schema: booleanSetting(false),
  },
  dbHost: { env: 'DB_HOST', description: 'Database host', schema: stringSetting('localhost') },
  dbPort: {
    env: 'DB_PORT',
    description: 'Database port',
    schema: integerSetting(1, 65_535, 5432),
  },
  dbName: { env: 'DB_NAME', description: 'Database name', schema: stringSetting('posture') },
  dbUser: { env: 'DB_USER', description: 'Database user', schema: stringSetting('posture') },
  dbPassword: {
    env: 'DB_PASSWORD',
    description: 'Password of the database user',
    schema: stringSetting(''),
    secret: true,
  },
  dbFlushTimeoutMs: {
    env: 'DB_FLUSH_TIMEOUT_MS',
    description: 'At the end, how long to go on trying to write rows that the database lacks',
    unit: 'ms',
    schema: integerSetting(0, 10 * MINUTE, 10 * SECOND),
  },
  terminationLog: {
    env: 'TERMINATION_LOG',
    description: 'File that the summary is written to, for the container status',
    schema: stringSetting('/dev/termination-log'),
  },
  ...logSettings,
});

export type AnalyzerSettings = SettingsOf<typeof analyzerSettings>;

/** What no single setting can say about itself; empty when all is well. */
export function settingsConflicts(settings: AnalyzerSettings): string[] {
  if (settings.mqttBroker === '' && settings.imageDir === '')
    return ['MQTT_BROKER or IMAGE_DIR: one of them must be set'];
  if (settings.mqttBroker !== '' && settings.imageDir !== '')
    return ['MQTT_BROKER and IMAGE_DIR: only one of them may be set'];
  return [];
}

/** Name of the job that an analyzer runs as: `posture-pi1` … */
export const jobName = (settings: Pick<AnalyzerSettings, 'app'>): string =>
  `posture-${settings.app}`;
