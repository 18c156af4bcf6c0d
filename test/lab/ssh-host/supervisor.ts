import { spawn, spawnSync, type ChildProcess, type StdioOptions } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import path from 'node:path';
import { parseUnit, type Unit } from './units';

const SOCKET = '/run/lab-supervisor.sock';
const UNITS = '/etc/systemd/system';
const ENABLED = '/etc/systemd/system/multi-user.target.wants';
const STOP_LIMIT_MS = 90_000;

interface Answer {
  readonly code: number;
  readonly text: string;
}

/** A unit that runs, or is to run again. */
class Service {
  private child: ChildProcess | undefined;
  private again: NodeJS.Timeout | undefined;
  private wanted = false;
  private starting: Promise<void> = Promise.resolve();
  /** Its main process runs and, if it is one that says so, has said that it is ready. */
  isActive = false;

  constructor(private readonly name: string) {}

  private get unit(): Unit {
    return parseUnit(readFileSync(path.join(UNITS, `${this.name}.service`), 'utf8'));
  }

  /** Resolves once it counts as started, as `systemctl start` does; rejects where it ends before. */
  start(): Promise<void> {
    if (this.child === undefined) this.starting = this.startAnew();
    return this.starting;
  }

  private async startAnew(): Promise<void> {
    this.wanted = true;
    clearTimeout(this.again);
    const { unit } = this;
    const log = openSync(`/var/log/${this.name}.log`, 'a', 0o600);
    try {
      for (const { argv, mayFail } of unit.before) {
        const { status } = spawnSync(argv[0] ?? '', argv.slice(1), { stdio: ['ignore', log, log] });
        if (status !== 0 && !mayFail) throw new Error(`${argv.join(' ')} failed`);
      }
      await this.run(unit, log);
    } finally {
      closeSync(log);
    }
  }

  private run(unit: Unit, log: number): Promise<void> {
    return new Promise((resolve, reject) => {
      // What stands for systemd's socket is Node.js's own channel to a child.
      const stdio: StdioOptions = ['ignore', log, log, ...(unit.saysReady ? ['ipc' as const] : [])];
      const child = spawn(unit.argv[0] ?? '', unit.argv.slice(1), { stdio, detached: true });
      this.child = child;
      const started = (): void => {
        this.isActive = true;
        resolve();
      };
      const ended = (): void => {
        reject(new Error(`Job for ${this.name}.service failed: its main process has ended`));
        if (this.child !== child) return;
        this.child = undefined;
        this.isActive = false;
        this.runAgain();
      };
      if (unit.saysReady) child.on('message', started);
      else child.on('spawn', started);
      child.on('error', ended);
      child.on('exit', ended);
    });
  }

  /** As the unit says now: it may have been changed since. */
  private runAgain(): void {
    const seconds = this.wanted && isUnit(this.name) ? this.unit.restartSeconds : undefined;
    if (seconds === undefined) return;
    this.again = setTimeout(() => void this.start().catch(() => undefined), seconds * 1000);
  }

  /** Ends the main process alone: KillMode=process. */
  async stop(): Promise<void> {
    this.wanted = false;
    clearTimeout(this.again);
    const { child } = this;
    if (child === undefined) return;
    await new Promise<void>((resolve) => {
      const hard = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
      child.once('exit', () => (clearTimeout(hard), resolve()));
      child.kill('SIGTERM');
    });
  }
}

const services = new Map<string, Service>();

function service(name: string): Service {
  const known = services.get(name) ?? new Service(name);
  services.set(name, known);
  return known;
}

const isUnit = (name: string): boolean => existsSync(path.join(UNITS, `${name}.service`));

async function answer(args: readonly string[]): Promise<Answer> {
  const options = args.filter((arg) => arg.startsWith('-'));
  const [verb = '', given = ''] = args.filter((arg) => !arg.startsWith('-'));
  const name = given.replace(/\.service$/, '');
  const unknown = options.find((option) => option !== '--quiet' && option !== '--now');
  if (unknown !== undefined) return { code: 1, text: `${unknown} is not known here` };
  const link = path.join(ENABLED, `${name}.service`);
  if (verb === 'daemon-reload') return { code: 0, text: '' };
  if (verb === 'is-active')
    return service(name).isActive ? { code: 0, text: 'active' } : { code: 3, text: 'inactive' };
  if (verb === 'is-enabled')
    return existsSync(link) ? { code: 0, text: 'enabled' } : { code: 1, text: 'disabled' };
  const ends = verb === 'stop' || verb === 'disable';
  if (!isUnit(name) && !(ends && services.has(name)))
    return { code: 5, text: `Unit ${name}.service not found.` };
  if (verb === 'enable') {
    mkdirSync(ENABLED, { recursive: true });
    writeFileSync(link, '');
  } else if (verb === 'disable') rmSync(link, { force: true });
  else if (!['start', 'stop', 'restart'].includes(verb))
    return { code: 1, text: `${verb} is not known here` };
  const now = options.includes('--now');
  if (verb === 'stop' || verb === 'restart' || (verb === 'disable' && now))
    await service(name).stop();
  if (verb === 'start' || verb === 'restart' || (verb === 'enable' && now))
    await service(name).start();
  return { code: 0, text: '' };
}

/** Process 1 but for what tini does: sshd, and the units that `systemctl` asks for. */
function supervise(): void {
  const passwd = readFileSync('/etc/passwd', 'utf8');
  if (!/^sshd:/m.test(passwd))
    writeFileSync('/etc/passwd', `${passwd}sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\n`);
  mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  rmSync(SOCKET, { force: true });
  const sshd = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', '/etc/ssh/lab_sshd_config'], {
    stdio: 'inherit',
  });
  sshd.on('exit', (code) => process.exit(code ?? 1));
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      void Promise.all([...services.values()].map((one) => one.stop())).then(() => process.exit(0));
    });
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.setEncoding('utf8').once('data', (text: string) => {
      answer(JSON.parse(text) as string[])
        .catch((error: Error): Answer => ({ code: 1, text: error.message }))
        .then((result) => socket.end(JSON.stringify(result)))
        .catch(() => socket.destroy());
    });
  });
  server.listen(SOCKET, () => {
    for (const unit of existsSync(ENABLED) ? readdirSync(ENABLED) : [])
      service(path.basename(unit, '.service'))
        .start()
        .catch(() => undefined);
  });
}

/** `systemctl …`: what the supervisor answers. */
function ask(args: readonly string[]): void {
  let text = '';
  const socket = connect(SOCKET, () => socket.write(JSON.stringify(args)));
  socket.setEncoding('utf8').on('data', (part: string) => (text += part));
  socket.on('error', (error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  });
  socket.on('close', () => {
    const { code, text: said } = JSON.parse(text || '{"code":1,"text":"no answer"}') as Answer;
    const isShown = said !== '' && !args.includes('--quiet');
    if (isShown) (code === 0 ? process.stdout : process.stderr).write(`${said}\n`);
    process.exitCode = code;
  });
}

if (path.basename(process.argv[1] ?? '') === 'systemctl') ask(process.argv.slice(2));
else supervise();
