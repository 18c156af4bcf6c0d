import type Docker from 'dockerode';
import { LABELS, workerBody, workerFilter } from '../containers/worker-body';
import { workerFiles } from '../containers/worker-files';
import type { WorkerMould } from '../containers/worker-template';
import { ContainerTaken, type Containers, type WorkerContainer } from '../ports';
import { DockerError, statusOf } from './docker-error';

const NOT_MODIFIED = 304;
const GONE = 404;
const TAKEN = 409;
const SECOND_MS = 1000;

/** A container of the list, with what Docker calls it. */
interface Listed extends WorkerContainer {
  readonly id: string;
}

/**
 * Workers' containers on a Docker engine. Every request has a time limit; what fails throws a DockerError that says what
 * was wanted and what Docker said.
 */
export class DockerContainers implements Containers {
  constructor(
    private readonly docker: Docker,
    private readonly mould: WorkerMould,
    /** Time limit of one request; stopping a container may take the time that it is given more. */
    private readonly timeoutMs: number,
  ) {}

  async list(): Promise<readonly WorkerContainer[]> {
    const all = await this.#list();
    return all.map(({ id: _id, ...container }) => container);
  }

  async create(name: string, operation: string): Promise<void> {
    const found = (await this.#make(name, operation)) ?? (await this.#find(name));
    if (found === undefined || found.operation !== operation) throw new ContainerTaken(name);
    if (found.running) return;
    const container = this.docker.getContainer(found.id);
    const files = await workerFiles(this.mould.template);
    if (files !== undefined)
      await this.#ask(`put the files of ${name} into it`, (abortSignal) =>
        container.putArchive(files, { path: '/', abortSignal }),
      );
    await this.#unless(NOT_MODIFIED, `start ${name}`, (abortSignal) =>
      container.start({ abortSignal }),
    );
  }

  async remove(name: string): Promise<void> {
    const found = await this.#find(name);
    if (found === undefined) return;
    const container = this.docker.getContainer(found.id);
    const t = this.mould.template.container.stopSeconds;
    if (found.running)
      await this.#ask(
        `stop ${name}`,
        (abortSignal) => container.stop({ t, abortSignal }),
        this.timeoutMs + t * SECOND_MS,
      ).catch(unless(NOT_MODIFIED, GONE));
    await this.#unless(GONE, `remove ${name}`, (abortSignal) =>
      container.remove(options({ v: true, force: true, abortSignal })),
    );
  }

  /** The container that was made, not started yet; undefined where one of this name is there. */
  async #make(name: string, operation: string): Promise<Listed | undefined> {
    const body = workerBody(this.mould, name, operation);
    try {
      const { id } = await this.#ask(`create ${name}`, (abortSignal) =>
        this.docker.createContainer(options({ _query: { name }, _body: body, abortSignal })),
      );
      return { id, name, operation, running: false, createdAtMs: 0 };
    } catch (error) {
      if (!(error instanceof DockerError)) throw error;
      if (error.status === TAKEN) return undefined;
      if (error.status !== GONE) throw error;
      const { image } = this.mould.template.container;
      throw new DockerError(`create ${name} of ${image}`, GONE, error.cause);
    }
  }

  async #find(name: string): Promise<Listed | undefined> {
    return (await this.#list()).find((container) => container.name === name);
  }

  async #list(): Promise<readonly Listed[]> {
    const label = workerFilter(this.mould.template.estate);
    const all = await this.#ask('list the workers', (abortSignal) =>
      this.docker.listContainers({ all: true, filters: { label }, abortSignal }),
    );
    return all.map(({ Id, Names, State, Created, Labels }) => ({
      id: Id,
      name: Names[0]?.replace(/^\//, '') ?? Id,
      running: State === 'running' || State === 'restarting',
      createdAtMs: Created * SECOND_MS,
      operation: Labels[LABELS.operation] ?? '',
    }));
  }

  async #unless(status: number, what: string, send: Send<unknown>): Promise<void> {
    await this.#ask(what, send).catch(unless(status));
  }

  /** @throws DockerError when it fails or takes too long */
  async #ask<T>(what: string, send: Send<T>, timeoutMs = this.timeoutMs): Promise<T> {
    try {
      return await send(AbortSignal.timeout(timeoutMs));
    } catch (error) {
      throw new DockerError(what, statusOf(error), error);
    }
  }
}

type Send<T> = (abortSignal: AbortSignal) => Promise<T>;

/** Takes an answer of one of these states for success. */
const unless =
  (...states: readonly number[]) =>
  (error: unknown): void => {
    if (!(error instanceof DockerError) || !states.includes(error.status ?? 0)) throw error;
  };

/** Options that dockerode takes and its types do not know. */
const options = (all: Readonly<Record<string, unknown>>): object => ({ ...all });
