import { hostname } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../shared/clock';
import { startHealthServer } from '../shared/health-server';
import type { Running } from '../shared/lifecycle';
import type { Logger } from '../shared/log';
import { createMetrics } from '../shared/metrics';
import { serviceMain } from '../shared/service-main';
import { folderAlbum } from './adapters/folder-album';
import { mqttPublisher } from './adapters/mqtt-publisher';
import { feed } from './loop';
import { imageFeederSettings, type ImageFeederSettings } from './settings';

async function start(settings: ImageFeederSettings, log: Logger): Promise<Running> {
  const directory = settings.imageDir || join(__dirname, 'samples');
  const album = folderAlbum(directory, settings.maxImageBytes);
  if ((await album.names()).length === 0)
    throw new Error(`${directory}: the folder holds no JPEG or PNG image`);
  const publisher = mqttPublisher(
    {
      host: settings.mqttBroker,
      port: settings.mqttPort,
      username: settings.mqttUsername,
      password: settings.mqttPassword,
      clientId: `image-feeder-${hostname()}`,
      topicPrefix: settings.topicPrefix,
    },
    log,
  );
  const metrics = createMetrics('image_feeder');
  const counters = {
    published: metrics.counter('published_images_total', 'Images that the broker has taken'),
    skipped: metrics.counter('skipped_images_total', 'Files that cannot be read or are too large'),
  };
  const health = await startHealthServer({
    host: settings.httpHost,
    port: settings.port,
    registry: metrics.registry,
    healthy: () => ({ ok: true }),
    ready: () => ({ ok: publisher.connected(), detail: { broker: settings.mqttBroker } }),
  });
  log.info({ directory, port: health.port, ratePerSecond: settings.ratePerSecond }, 'feeding');
  const end = new AbortController();
  const feeding = feed(
    {
      album,
      publisher,
      clock: systemClock,
      log,
      ratePerSecond: settings.ratePerSecond,
      loop: settings.loop,
      onImage: (outcome) => counters[outcome].inc(),
    },
    end.signal,
  );
  const finish = async () => {
    await publisher.close();
    await health.close();
  };
  feeding.then(
    async (counts) => {
      log.info({ ...counts }, 'fed');
      if (end.signal.aborted) return;
      await finish();
      process.exit(0);
    },
    (error: unknown) => {
      if (end.signal.aborted) return;
      log.fatal({ err: error }, 'could not go on');
      process.exit(1);
    },
  );
  return {
    stop: async () => {
      end.abort();
      await finish();
      await feeding.catch(() => undefined);
    },
  };
}

serviceMain({
  name: 'image-feeder',
  summary: 'publishes the images of a folder to an MQTT broker',
  settings: imageFeederSettings,
  start,
});
