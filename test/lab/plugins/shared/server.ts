import * as grpc from '@grpc/grpc-js';
import { Any } from 'google-protobuf/google/protobuf/any_pb';
import { Empty } from 'google-protobuf/google/protobuf/empty_pb';
import { PluginInfo, type PluginAttach } from '@pulumi/pulumi/proto/plugin_pb';
import { ResourceProviderService } from '@pulumi/pulumi/proto/provider_grpc_pb';
import * as rpc from '@pulumi/pulumi/proto/provider_pb';
import { Status } from '@pulumi/pulumi/proto/status_pb';
import { checkResource, decodeOptions, diffResource, diffResponse, resourceType } from './calls';
import { EngineLog } from './engine';
import { diffProps, replacedAt } from './property-diff';
import { InitError, type CallContext, type CheckFailure, type Plugin } from './provider';
import { decode, encode, type SecretPath } from './values';

interface Addressed {
  getUrn(): string;
  getName(): string;
  getType(): string;
}

/** Runs a plugin until the engine ends it: call it as the whole of a plugin's `main.ts`. */
export function runPlugin(plugin: Plugin): void {
  const server = new grpc.Server({
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
  });
  server.addService(ResourceProviderService, handlers(plugin, process.argv[2] ?? ''));
  server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => {
    if (error) throw error;
    process.stdout.write(`${port}\n`);
  });
  const engine = process.ppid;
  // An engine that was killed cannot end its plugins: they notice that they were handed to another parent.
  setInterval(() => process.ppid !== engine && process.exit(0), 2_000).unref();
}

function handlers(plugin: Plugin, engineAddress: string): grpc.UntypedServiceImplementation {
  const cancelled = new AbortController();
  let log = new EngineLog(engineAddress);
  const context = (r: Addressed): CallContext =>
    log.context(r.getUrn(), r.getName(), r.getType(), cancelled.signal);
  const timeoutMs = (r: { getTimeout(): number }) => r.getTimeout() * 1000 || undefined;

  return {
    handshake: unary(() =>
      new rpc.ProviderHandshakeResponse()
        .setAcceptSecrets(true)
        .setAcceptResources(true)
        .setAcceptOutputs(true),
    ),
    attach: unary((r: PluginAttach) => {
      log = new EngineLog(r.getAddress());
      return new Empty();
    }),
    getPluginInfo: unary(() => new PluginInfo().setVersion(plugin.version)),
    getSchema: unary(() =>
      new rpc.GetSchemaResponse().setSchema(
        JSON.stringify({ name: plugin.name, version: plugin.version }),
      ),
    ),
    cancel: unary(() => {
      cancelled.abort(new Error('cancelled'));
      return new Empty();
    }),
    checkConfig: unary((r: rpc.CheckRequest) => {
      const { failures } = decodeOptions(plugin, decode(r.getNews()).props);
      return checkResponse(failures).setInputs(r.getNews());
    }),
    diffConfig: unary((r: rpc.DiffRequest) => {
      const olds = decodeOptions(plugin, decode(r.getOldInputs()).props).options;
      const news = decodeOptions(plugin, decode(r.getNews()).props).options;
      const replaced = plugin.replacedBy?.(olds, news) ?? [];
      return diffResponse(replacedAt(diffProps(olds, news), replaced));
    }),
    configure: unary(async (r: rpc.ConfigureRequest) => {
      const { options, failures } = decodeOptions(plugin, decode(r.getArgs()).props);
      if (failures[0]) throw new Error(failures[0].reason);
      await plugin.configure(options);
      return new rpc.ConfigureResponse()
        .setAcceptsecrets(true)
        .setSupportspreview(true)
        .setAcceptresources(true)
        .setAcceptoutputs(true);
    }),
    invoke: unary(async (r: rpc.InvokeRequest) => {
      const run = plugin.functions?.[r.getTok()];
      if (!run) throw notImplemented(`the lab's ${plugin.name} provider`, r.getTok());
      const args = decode(r.getArgs());
      const result = await run(
        args.props,
        log.context('', r.getTok(), r.getTok(), cancelled.signal),
      );
      return new rpc.InvokeResponse().setReturn(encode(result, args.secrets));
    }),
    check: unary(async (r: rpc.CheckRequest) => {
      const news = decode(r.getNews());
      const request = {
        olds: decode(r.getOlds()).props,
        news: news.props,
        randomSeed: r.getRandomseed_asU8(),
      };
      const type = resourceType(plugin, r.getType());
      const { inputs, failures } = await checkResource(type, request, context(r));
      return checkResponse(failures).setInputs(encode(inputs, news.secrets));
    }),
    diff: unary((r: rpc.DiffRequest) => {
      const request = {
        id: r.getId(),
        oldInputs: decode(r.getOldInputs()).props,
        oldOutputs: decode(r.getOlds()).props,
        news: decode(r.getNews()).props,
      };
      return diffResource(resourceType(plugin, r.getType()), request, context(r));
    }),
    create: unary(async (r: rpc.CreateRequest) => {
      const type = resourceType(plugin, r.getType());
      const { props: inputs, secrets } = decode(r.getProperties());
      if (r.getPreview()) {
        const preview = { inputs, oldInputs: {}, oldOutputs: {} };
        const outputs = (await type.preview?.(preview, context(r))) ?? inputs;
        return new rpc.CreateResponse().setProperties(encode(outputs, secrets));
      }
      return partial(secrets, async () => {
        const made = await type.create({ inputs, timeoutMs: timeoutMs(r) }, context(r));
        return new rpc.CreateResponse().setId(made.id).setProperties(encode(made.outputs, secrets));
      });
    }),
    read: unary(async (r: rpc.ReadRequest) => {
      const type = resourceType(plugin, r.getType());
      if (!type.read) throw notImplemented(r.getType(), 'refresh and import');
      const inputs = decode(r.getInputs());
      const outputs = decode(r.getProperties());
      const request = { id: r.getId(), inputs: inputs.props, outputs: outputs.props };
      const secrets = [...inputs.secrets, ...outputs.secrets];
      return partial(secrets, async () => {
        const found = await type.read?.(request, context(r));
        if (!found) return new rpc.ReadResponse();
        return new rpc.ReadResponse()
          .setId(found.id)
          .setInputs(encode(found.inputs, inputs.secrets))
          .setProperties(encode(found.outputs, secrets));
      });
    }),
    update: unary(async (r: rpc.UpdateRequest) => {
      const type = resourceType(plugin, r.getType());
      if (!type.update) throw notImplemented(r.getType(), 'update');
      const { props: inputs, secrets } = decode(r.getNews());
      const olds = {
        oldInputs: decode(r.getOldInputs()).props,
        oldOutputs: decode(r.getOlds()).props,
      };
      const request = { id: r.getId(), inputs, ...olds, timeoutMs: timeoutMs(r) };
      if (r.getPreview()) {
        const outputs = (await type.preview?.(request, context(r))) ?? inputs;
        return new rpc.UpdateResponse().setProperties(encode(outputs, secrets));
      }
      return partial(secrets, async () => {
        const outputs = (await type.update?.(request, context(r))) ?? inputs;
        return new rpc.UpdateResponse().setProperties(encode(outputs, secrets));
      });
    }),
    delete: unary(async (r: rpc.DeleteRequest) => {
      const request = {
        id: r.getId(),
        inputs: decode(r.getOldInputs()).props,
        outputs: decode(r.getProperties()).props,
        timeoutMs: timeoutMs(r),
      };
      await resourceType(plugin, r.getType()).delete?.(request, context(r));
      return new Empty();
    }),
  };
}

const notImplemented = (subject: string, what: string) =>
  new Error(`${subject}: ${what} is not implemented in the lab`);

function checkResponse(failures: readonly CheckFailure[]): rpc.CheckResponse {
  return new rpc.CheckResponse().setFailuresList(
    failures.map((f) => new rpc.CheckFailure().setProperty(f.property).setReason(f.reason)),
  );
}

/** Turns an {@link InitError} into the form in which the engine keeps what was made and why it is not ready. */
async function partial<T>(secrets: readonly SecretPath[], run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof InitError)) throw error;
    const detail = new rpc.ErrorResourceInitFailed()
      .setId(error.id)
      .setProperties(encode(error.outputs, secrets))
      .setInputs(encode(error.inputs, secrets))
      .setReasonsList(error.reasons);
    const any = new Any();
    any.pack(detail.serializeBinary(), 'pulumirpc.ErrorResourceInitFailed');
    const status = new Status().setCode(grpc.status.UNKNOWN).setMessage(error.message);
    status.addDetails(any);
    const metadata = new grpc.Metadata();
    metadata.add('grpc-status-details-bin', Buffer.from(status.serializeBinary()));
    throw Object.assign(error, { code: grpc.status.UNKNOWN, details: error.message, metadata });
  }
}

/** A gRPC method from a function; what it throws is an error that the engine counts as "nothing was made". */
function unary<Request, Response>(
  run: (request: Request) => Response | Promise<Response>,
): grpc.handleUnaryCall<Request, Response> {
  return (call, callback) => {
    void (async () => run(call.request))().then(
      (response) => callback(null, response),
      (error: Error & Partial<grpc.ServiceError>) =>
        callback({
          code:
            error.code !== undefined && error.metadata
              ? error.code
              : grpc.status.FAILED_PRECONDITION,
          details: error.message,
          metadata: error.metadata,
        }),
    );
  };
}
