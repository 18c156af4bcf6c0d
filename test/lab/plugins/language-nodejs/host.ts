import * as grpc from '@grpc/grpc-js';
import {
  LanguageRuntimeService,
  type ILanguageRuntimeServer,
} from '@pulumi/pulumi/proto/language_grpc_pb';
import * as proto from '@pulumi/pulumi/proto/language_pb';
import { PluginInfo } from '@pulumi/pulumi/proto/plugin_pb';
import { installedVersion, programDependencies } from './dependencies';
import type { RunSpec } from './invocation';
import { runProgram } from './program';

/** The version of the official host whose behaviour this one has. */
const VERSION = '3.259.0';

type Unary<Request, Response> = grpc.handleUnaryCall<Request, Response>;

/** A gRPC handler from a function; an exception becomes an UNKNOWN status with its message. */
function unary<Request, Response>(
  handle: (request: Request, cancelled: AbortSignal) => Response | Promise<Response>,
): Unary<Request, Response> {
  return (call, callback) => {
    const cancelled = new AbortController();
    call.on('cancelled', () => cancelled.abort());
    Promise.resolve()
      .then(() => handle(call.request, cancelled.signal))
      .then(
        (response) => callback(null, response),
        (error: Error) => callback({ code: grpc.status.UNKNOWN, details: error.message }),
      );
  };
}

/**
 * The LanguageRuntime service for Node programs. Code generation, plugins written as programs and
 * debugging are not implemented: the engine is told UNIMPLEMENTED, or why.
 *
 * @param engineAddress where the engine listens, as given on the command line.
 * @param stop aborts every running program.
 */
export function addLanguageRuntime(
  server: grpc.Server,
  engineAddress: string,
  stop: AbortController,
): void {
  let engine = engineAddress;
  const handlers: Partial<ILanguageRuntimeServer> = {
    handshake: unary((request: proto.LanguageHandshakeRequest) => {
      engine = request.getEngineAddress();
      return new proto.LanguageHandshakeResponse();
    }),
    // The lab's plugins are on PATH, so the engine has nothing to install.
    getRequiredPlugins: unary(() => new proto.GetRequiredPluginsResponse()),
    getRequiredPackages: unary(() => new proto.GetRequiredPackagesResponse()),
    getPluginInfo: unary(() => new PluginInfo().setVersion(VERSION)),
    runtimeOptionsPrompts: unary(() => new proto.RuntimeOptionsResponse()),
    template: unary(() => new proto.TemplateResponse()),
    about: unary((request: proto.AboutRequest) => about(request)),
    getProgramDependencies: unary((request: proto.GetProgramDependenciesRequest) =>
      dependencies(request),
    ),
    installDependencies: (call) => {
      const message = 'The lab installs nothing: run npm install.\n';
      call.write(new proto.InstallDependenciesResponse().setStdout(Buffer.from(message)));
      call.end();
    },
    run: unary((request: proto.RunRequest, cancelled) => run(request, engine, cancelled, stop)),
    cancel: unary((request) => {
      stop.abort();
      return request;
    }),
  };
  server.addService(LanguageRuntimeService, handlers as grpc.UntypedServiceImplementation);
}

async function run(
  request: proto.RunRequest,
  engine: string,
  cancelled: AbortSignal,
  stop: AbortController,
): Promise<proto.RunResponse> {
  if (request.getAttachDebugger()) {
    return new proto.RunResponse().setError("the lab's language host cannot attach a debugger");
  }
  const { error, bail } = await runProgram(
    specOf(request, engine),
    AbortSignal.any([cancelled, stop.signal]),
  );
  return new proto.RunResponse().setError(error).setBail(bail);
}

function specOf(request: proto.RunRequest, engineAddress: string): RunSpec {
  const info = request.getInfo();
  if (info === undefined) throw new Error('the engine sent no program information; is it too old?');
  return {
    organization: request.getOrganization(),
    project: request.getProject(),
    stack: request.getStack(),
    rootDirectory: info.getRootDirectory(),
    programDirectory: info.getProgramDirectory(),
    entryPoint: info.getEntryPoint() || '.',
    options: info.getOptions()?.toJavaScript() ?? {},
    config: new Map(request.getConfigMap().entries() as unknown as Iterable<[string, string]>),
    configSecretKeys: request.getConfigsecretkeysList(),
    args: request.getArgsList(),
    dryRun: request.getDryrun(),
    parallel: request.getParallel(),
    monitorAddress: request.getMonitorAddress(),
    engineAddress,
  };
}

function about(request: proto.AboutRequest): proto.AboutResponse {
  const response = new proto.AboutResponse()
    .setExecutable(process.execPath)
    .setVersion(process.version);
  response.getMetadataMap().set('packagemanager', 'npm');
  const directory = request.getInfo()?.getProgramDirectory() ?? process.cwd();
  const typescript = installedVersion(directory, 'typescript');
  if (typescript !== undefined) response.getMetadataMap().set('typescriptVersion', typescript);
  return response;
}

function dependencies(
  request: proto.GetProgramDependenciesRequest,
): proto.GetProgramDependenciesResponse {
  const directory = request.getInfo()?.getProgramDirectory() ?? request.getPwd();
  const found = programDependencies(directory, request.getTransitivedependencies());
  return new proto.GetProgramDependenciesResponse().setDependenciesList(
    found.map(({ name, version }) => new proto.DependencyInfo().setName(name).setVersion(version)),
  );
}
