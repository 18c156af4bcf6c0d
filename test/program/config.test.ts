import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import {
  ConfigError,
  parseEstateConfig,
  SECRET_KEYS,
  type SecretKey,
} from '../../components/config';
import { estateSchemas } from '../../components/config-schema';

const projectDirectory = join(__dirname, '..', '..');
const readYaml = (file: string) => parse(readFileSync(join(projectDirectory, file), 'utf8'));

const parseValues = (
  values: Record<string, unknown>,
  secrets: readonly SecretKey[] = ['clusterToken'],
) => parseEstateConfig({ values, keys: Object.keys(values), secrets: new Set(secrets) });

function problemsOf(
  values: Record<string, unknown>,
  secrets?: readonly SecretKey[],
): readonly string[] {
  try {
    parseValues(values, secrets);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems;
  }
  assert.fail('the configuration was accepted');
}

describe('stack configuration', () => {
  it('takes every default, and they are those that Pulumi.yaml declares', () => {
    const declared = readYaml('Pulumi.yaml').config as Record<string, { default?: unknown }>;
    const values = Object.fromEntries(
      Object.keys(estateSchemas).map((key) => [key, declared[key]?.default]),
    );
    assert.deepEqual(parseValues(values), parseValues({}));
  });

  it('has every key declared in Pulumi.yaml with type, default and description', () => {
    const declared = readYaml('Pulumi.yaml').config as Record<string, Record<string, unknown>>;
    assert.deepEqual(
      Object.keys(declared).sort(),
      [...Object.keys(estateSchemas), ...SECRET_KEYS].sort(),
    );
    for (const [key, declaration] of Object.entries(declared)) {
      for (const field of ['type', 'default', 'description'])
        assert.ok(declaration[field] !== undefined, `${key} has no ${field}`);
    }
  });

  it('describes every setting inside a key of Pulumi.yaml', () => {
    const declared = readYaml('Pulumi.yaml').config as Record<string, { description: string }>;
    const missing: string[] = [];
    const defaults = parseValues({ cluster: { docker: { hostCpus: 4, hostMemoryMb: 8192 } } });
    const visit = (key: string, value: unknown) => {
      if (value === null || typeof value !== 'object' || Array.isArray(value)) return;
      for (const [name, inner] of Object.entries(value)) {
        if (!new RegExp(`\\b${name}\\b`).test(declared[key]?.description ?? ''))
          missing.push(`${key}: ${name}`);
        visit(key, inner);
      }
    };
    for (const [key, value] of Object.entries(defaults)) visit(key, value);
    assert.deepEqual(missing, []);
  });

  it('accepts the dev stack', () => {
    const config = readYaml('Pulumi.dev.yaml').config as Record<string, unknown>;
    const values = Object.fromEntries(
      Object.entries(config).map(([key, value]) => [key.replace('berth:', ''), value]),
    );
    assert.equal(parseValues(values).nodes.length, 3);
  });

  it('reports all problems at once, each with its key path and what is allowed', () => {
    const problems = problemsOf({
      clutser: {},
      cluster: { kind: 'dokcer', docker: { apiPort: 0, agnet: {}, image: 7 } },
      nodes: [
        { name: 'node-1', slot: 1 },
        { name: 'node-1', slot: 1 },
        { name: 'Node 3', slot: 11, eligible: 'yes' },
      ],
      images: { platforms: ['linux/s390x'] },
      systems: { autoscaling: { enabled: 'yes' }, cpuScheduling: { thresholdRatio: 1.5 } },
    });
    const expected = [
      /^berth:clutser: unknown key; did you mean cluster\?$/,
      /^berth:cluster\.kind: "dokcer" .*docker.*existing/,
      /^berth:cluster\.docker\.apiPort: 0 is not in 1\.\.65535$/,
      /^berth:cluster\.docker\.agnet: unknown key; did you mean agent\?$/,
      /^berth:cluster\.docker\.image: 7 /,
      /^berth:nodes\[1\]\.name: "node-1" is taken by nodes\[0\]$/,
      /^berth:nodes\[1\]\.slot: 1 is taken by nodes\[0\]$/,
      /^berth:nodes\[2\]\.name: "Node 3" must be a DNS label/,
      /^berth:nodes\[2\]\.slot: 11 is not in 1\.\.10$/,
      /^berth:nodes\[2\]\.eligible: "yes" /,
      /^berth:images\.platforms\[0\]: "linux\/s390x" .*linux\/amd64.*linux\/arm64/,
      /^berth:systems\.autoscaling\.enabled: "yes" /,
      /^berth:systems\.cpuScheduling\.thresholdRatio: 1\.5 is not in 0\.05\.\.1$/,
    ];
    for (const pattern of expected)
      assert.ok(
        problems.some((problem) => pattern.test(problem)),
        `${pattern} in\n${problems.join('\n')}`,
      );
    assert.equal(problems.length, expected.length, problems.join('\n'));
  });

  it('lets the autoscaler be on only where workers can be containers, within limits that leave it room', () => {
    const autoscaling = { enabled: true, minNodes: 1, maxNodes: 4, permanentWorkers: ['node-1'] };
    assert.ok(parseValues({ systems: { autoscaling } }).systems.autoscaling.enabled);
    assert.deepEqual(
      problemsOf({ cluster: { kind: 'existing' }, systems: { autoscaling } }, ['kubeconfig']),
      [
        'berth:systems.autoscaling.enabled: must be false when cluster.kind is existing: workers are containers of a Docker cluster (cluster.kind: docker)',
      ],
    );
    const wrong = {
      ...{ minNodes: 2, maxNodes: 1, cpuThresholdRatio: 0.3, memoryScaleDownRatio: 0.9 },
      permanentWorkers: ['a', 'b'],
    };
    assert.deepEqual(problemsOf({ systems: { autoscaling: wrong } }), [
      'berth:systems.autoscaling.minNodes: 2 must not be above maxNodes (1)',
      'berth:systems.autoscaling.permanentWorkers: ["a","b"] must not name more workers than maxNodes (1)',
      'berth:systems.autoscaling.cpuScaleDownRatio: must be below cpuThresholdRatio (0.3)',
      'berth:systems.autoscaling.memoryScaleDownRatio: 0.9 must be below memoryThresholdRatio (0.8)',
    ]);
  });

  it('lets the autoscaler log in forms that it knows, to a file in a folder that can be a volume', () => {
    for (const logFile of ['', '/logs/a.log', '/var/log/berth/autoscaler.log'])
      assert.equal(
        parseValues({ systems: { autoscaling: { logFile } } }).systems.autoscaling.logFile,
        logFile,
      );
    assert.deepEqual(problemsOf({ systems: { autoscaling: { logFormat: 'xml' } } }), [
      'berth:systems.autoscaling.logFormat: "xml" must be json or pretty',
    ]);
    const text = 'must be the absolute path of a file in a folder other than /, or empty';
    for (const logFile of [
      'a.log',
      '/a.log',
      '/logs/',
      '/logs/../a.log',
      '/logs/./a.log',
      '/a b/c',
    ])
      assert.deepEqual(problemsOf({ systems: { autoscaling: { logFile } } }), [
        `berth:systems.autoscaling.logFile: ${JSON.stringify(logFile)} ${text}`,
      ]);
  });

  it('refuses a slot or a name that two nodes have', () => {
    assert.deepEqual(
      problemsOf({
        nodes: [
          { name: 'a', slot: 4 },
          { name: 'b', slot: 4 },
          { name: 'a', slot: 5 },
        ],
      }),
      [
        'berth:nodes[1].slot: 4 is taken by nodes[0]',
        'berth:nodes[2].name: "a" is taken by nodes[0]',
      ],
    );
  });

  it("refuses a Docker agent with the server's name", () => {
    assert.match(problemsOf({ nodes: [{ name: 'server' }] }).join(), /nodes\[0\]\.name: "server"/);
  });

  it('names the secret that is missing and the command that sets it', () => {
    assert.match(
      problemsOf({}, []).join(),
      /^berth:clusterToken: must be set when cluster\.kind is docker: pulumi config set --secret berth:clusterToken/,
    );
    assert.match(problemsOf({ cluster: { kind: 'existing' } }, []).join(), /^berth:kubeconfig: /);
    assert.match(
      problemsOf({ images: { username: 'me' } }, ['clusterToken']).join(),
      /^berth:registryPassword: /,
    );
    assert.match(
      problemsOf({ posture: { database: { enabled: true, host: 'db' } } }).join(),
      /^berth:databasePassword: /,
    );
  });

  it('asks for capabilities where a node is not privileged', () => {
    assert.match(
      problemsOf({ cluster: { docker: { privileged: false } } }).join(),
      /cluster\.docker\.capabilities/,
    );
  });

  it('checks event scaling, and that a scheduler it names is there', () => {
    assert.deepEqual(
      problemsOf({
        platform: { keda: { timeoutSeconds: 5, namespace: 'Keda' } },
        systems: {
          eventScaling: {
            mode: 'twice',
            thresholdRatio: 0,
            controllerIntervalSeconds: 4,
            lastGoodMaxAgeSeconds: 5,
            pollingIntervalSeconds: 601,
            excludeNodes: ['Node 1'],
            tls: { serverSecrt: 'x' },
          },
        },
      }).map((problem) => problem.replace(/^berth:(\S+): .*?(is not in .*)?$/, '$1 $2').trim()),
      [
        'platform.keda.namespace',
        'platform.keda.timeoutSeconds is not in 10..3600',
        'systems.eventScaling.mode',
        'systems.eventScaling.thresholdRatio is not in 0.05..1',
        'systems.eventScaling.excludeNodes[0]',
        'systems.eventScaling.controllerIntervalSeconds is not in 5..600',
        'systems.eventScaling.lastGoodMaxAgeSeconds is not in 10..3600',
        'systems.eventScaling.pollingIntervalSeconds is not in 1..600',
        'systems.eventScaling.tls.serverSecrt',
      ],
    );
    const eventScaling = { enabled: true, schedulerName: 'cpu-scheduler' };
    assert.match(
      problemsOf({ systems: { cpuScheduling: { enabled: false }, eventScaling } }).join(),
      /^berth:systems\.eventScaling\.schedulerName: "cpu-scheduler" must be default-scheduler/,
    );
    assert.ok(parseValues({ systems: { eventScaling } }).systems.eventScaling.enabled);
  });

  it('refuses a wrong type for every key', () => {
    for (const key of Object.keys(estateSchemas))
      assert.match(problemsOf({ [key]: 'non sense' }).join(), new RegExp(`^berth:${key}: `));
  });

  it('refuses every setting of a wrong type and names its path', () => {
    const defaults = parseValues({});
    const paths: { path: (string | number)[]; value: unknown }[] = [];
    const visit = (path: string[], value: unknown) => {
      if (value !== null && typeof value === 'object' && !Array.isArray(value))
        for (const [name, inner] of Object.entries(value)) visit([...path, name], inner);
      else paths.push({ path, value });
    };
    visit([], defaults);
    assert.ok(paths.length > 40);
    for (const { path } of paths.filter(({ path }) => path[0] !== 'nodes')) {
      const wrong = path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), {
        bad: ['type'],
      });
      const problems = problemsOf(wrong as Record<string, unknown>);
      assert.ok(
        problems.some((problem) => problem.startsWith(`berth:${path.join('.')}`)),
        `${path.join('.')}: ${problems.join('; ')}`,
      );
    }
  });
});
