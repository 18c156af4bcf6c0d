import { appendFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeCheckout, type Checkout } from './checkout';
import { EstateCluster } from './cluster';
import { diagnose } from './diagnose';
import { sampleArguments } from '../../wire/support/process-arguments';
import { machineState, type MachineState } from './machine';

/** Settings that make the queue notice soon what a test does. */
const EVENT_SCALING = {
  enabled: true,
  mode: 'once',
  controllerIntervalSeconds: 10,
  lastGoodMaxAgeSeconds: 60,
};

/**
 * Settings that make the scheduler look often enough for a test, and wait for readings that come late on a busy machine;
 * everything else is the dev estate.
 */
const CPU_SCHEDULING = {
  enabled: true,
  firstReadingWaitSeconds: 300,
  readingMaxAgeSeconds: 60,
  offload: { intervalSeconds: 10, minimumAgeSeconds: 5 },
};

/** A machine that is busy with other things for some seconds is not taken for an extender that has failed. */
const PATIENT_EXTENDING = { httpTimeoutSeconds: 20 };

/**
 * The autoscaler only decides until its own suite has it act: pods that others leave waiting, or load that they make, must
 * not bring nodes into the middle of them. Cooldowns are those of a test.
 */
const IDLE_AUTOSCALING = {
  dryRun: true,
  checkIntervalSeconds: 2,
  scaleUpCooldownSeconds: 2,
  scaleDownCooldownSeconds: 5,
};

/** Coming up takes minutes, and all of the machine: a look at each process takes some of it. */
const SAMPLE_PERIOD_MS = 500;

/** The one estate that all estate tests share: brought up by the first, taken down by the last. */
export interface Session {
  readonly before: MachineState;
  readonly checkout: Checkout;
  /** What the first `npm run up` printed. */
  readonly firstUp: string;
  /** The command lines that any process of the machine had while it ran, a line each. */
  readonly upArguments: string;
}

let session: Promise<Session> | undefined;
/** The copy that was made for it; one that was there before is somebody else's to take down. */
let made: Checkout | undefined;
let cluster: EstateCluster | undefined;

const logDirectory = join(__dirname, '..', '..', '..', '.berth', 'logs');

/** Shows what the commands print, indented below the tests, and keeps it. */
export function show(line: string): void {
  mkdirSync(logDirectory, { recursive: true });
  appendFileSync(join(logDirectory, 'estate-tests.log'), `${line}\n`);
  process.stdout.write(`      │ ${line}\n`);
}

async function start(): Promise<Session> {
  const before = await machineState();
  const checkout = await makeCheckout(show);
  if (process.env.BERTH_ESTATE_CHECKOUT === undefined) made = checkout;
  await checkout.configure((config: Record<string, Record<string, object>>) => {
    const systems = config['berth:systems'];
    config['berth:systems'] = {
      ...systems,
      cpuScheduling: CPU_SCHEDULING,
      eventScaling: EVENT_SCALING,
      latencyScheduling: { ...systems?.latencyScheduling, ...PATIENT_EXTENDING },
      autoscaling: { ...systems?.autoscaling, ...IDLE_AUTOSCALING },
    };
  });
  const samples = sampleArguments(SAMPLE_PERIOD_MS);
  try {
    const { all } = await checkout.npm('up');
    return { before, checkout, firstUp: all, upArguments: samples.seen() };
  } finally {
    samples.stop();
  }
}

/** The shared estate; the first caller brings it up. */
export const estate = (): Promise<Session> => (session ??= start());

/** A client of the shared estate's cluster. */
export async function estateCluster(): Promise<EstateCluster> {
  const { checkout } = await estate();
  return (cluster ??= new EstateCluster(checkout.directory));
}

// The last suite takes the estate down, and proves it. A run of other suites, or one whose estate did not come up, leaves as little.
after(async function () {
  if (made === undefined || !existsSync(made.directory)) return;
  this.timeout(3_600_000);
  await made.npm('down');
  await made.remove();
});

// A failure on a machine that is gone by the time it is read about has to be told by what was printed.
afterEach(async function () {
  if (this.currentTest?.state !== 'failed' || session === undefined) return;
  this.timeout(120_000);
  show(`what the estate looked like after: ${this.currentTest.fullTitle()}`);
  const lines = await estateCluster().then(diagnose, (error: unknown) => [String(error)]);
  for (const line of lines) show(line);
});
