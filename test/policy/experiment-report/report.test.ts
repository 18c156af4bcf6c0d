import assert from 'node:assert/strict';
import { parse as parseCsv } from 'csv-parse/sync';
import { RawDataError } from '../../../runtime/experiment-report/policy/parse';
import {
  cpuSeries,
  latencySeries,
  placementCounts,
  podSeries,
} from '../../../runtime/experiment-report/policy/series';
import { parseRounds } from '../../../runtime/experiment-report/policy/parse';
import { buildReport } from '../../../runtime/experiment-report/report';
import type { RawFile, Round } from '../../../runtime/experiment-report/types';
import { fileName, rawFile, ROUNDS } from './support';

const files = ROUNDS.map(rawFile);
const first = (): Round => parseRounds(files)[0] ?? assert.fail();
const problemsOf = (...raw: RawFile[]): readonly string[] => {
  try {
    buildReport(raw);
  } catch (error) {
    assert.ok(error instanceof RawDataError, String(error));
    return error.problems;
  }
  return [];
};

describe('experiment report', () => {
  let report: Map<string, string>;
  before(() => {
    report = buildReport(files);
  });
  const text = (name: string): string => report.get(name) ?? assert.fail(`${name} is not there`);

  it('has a row for each scheduler and each round, with its figures and its raw files', () => {
    const cells = text('report.md')
      .split('\n')
      .filter((line) => line.startsWith('| '))
      .map((line) => line.slice(2, -2).split(' | '));
    const [medianHead = [], , one = [], two = [], roundHead = [], , ...rounds] = cells;
    assert.deepEqual([one[0], two[0]], ['default-scheduler', 'cpu-scheduler']);
    assert.equal(one[medianHead.indexOf('p50, ms')], '350.0');
    assert.match(one.at(-1) ?? '', /default-scheduler-1\.jsonl.*default-scheduler-2\.jsonl/);
    assert.equal(rounds.length, ROUNDS.length);
    for (const [index, raw] of ROUNDS.entries()) {
      const row = rounds[index] ?? [];
      const ok = (raw.requests ?? []).filter(([, , outcome]) => outcome === 'ok');
      const mean = ok.reduce((sum, [, latencyMs]) => sum + latencyMs, 0) / ok.length;
      assert.equal(row[roundHead.indexOf('Mean, ms')], mean.toFixed(1));
      assert.ok(row.at(-1)?.includes(fileName(raw)));
    }
  });

  it('says of every plot and figure which raw file it comes from', () => {
    const plots = [...report.keys()].filter((name) => name.startsWith('plots/'));
    assert.equal(plots.length, 2 + 3 * ROUNDS.length);
    const paragraphs = text('report.md').split('\n\n');
    for (const name of plots) {
      const at = paragraphs.findIndex((paragraph) => paragraph.includes(`(<${name}>)`));
      assert.ok(at >= 0, `${name} is not shown`);
      const source = paragraphs[at + 1] ?? '';
      assert.match(source, /^From \[raw\/.*\.jsonl/);
      for (const raw of ROUNDS)
        if (name.endsWith(`-${raw.scheduler}-${raw.round}.svg`))
          assert.equal(source, `From [${fileName(raw)}](<${fileName(raw)}>).`);
      assert.ok(text('report.html').includes(`<img src="${name}"`), name);
    }
    const figures = [...text('report.html').matchAll(/<td title="([^"]*)">/g)];
    assert.equal(figures.length, 15 * (2 + ROUNDS.length));
    for (const [, source] of figures) assert.match(source ?? '', /^raw\/.*\.jsonl/);
  });

  it('draws every plot as an SVG that says what it shows', () => {
    for (const [name, svg] of report) {
      if (!name.endsWith('.svg')) continue;
      assert.match(svg, /^<svg [^>]*width="900"[^]*<\/svg>$/);
      assert.ok(!/NaN|undefined/.test(svg), name);
    }
    assert.match(text('plots/cpu-default-scheduler-1.svg'), />node-1<[^]*>node-2<[^]*>node-3</);
    assert.match(
      text('plots/pods-default-scheduler-1.svg'),
      />wl-hpa desired<[^]*>wl-hpa2 desired</,
    );
    assert.match(text('plots/latency-cpu-scheduler-1.svg'), />p50<[^]*>p99</);
  });

  it('has all figures unrounded as CSV', () => {
    const rows: Record<string, string>[] = parseCsv(text('figures.csv'), { columns: true });
    assert.deepEqual(
      rows.map(({ file }) => file),
      ROUNDS.map(fileName),
    );
    assert.equal(Number(rows[0]?.['successPercent']), (100 * 4) / 6);
    assert.equal(rows[2]?.['peakPods'], '');
  });

  it('names file and line of everything that cannot be read', () => {
    const [good = assert.fail()] = files;
    const bad = { name: 'raw/bad.jsonl', text: '{"kind":"cpu","atMs":1,"node":"a"}\nnonsense\n' };
    const problems = problemsOf(good, bad, { ...good, name: 'raw/again.jsonl' });
    assert.equal(problems.length, 4);
    assert.match(problems[0] ?? '', /^raw\/bad\.jsonl:1: cpuRatio: /);
    assert.equal(problems[1], 'raw/bad.jsonl:2: is not JSON');
    assert.match(problems[2] ?? '', /^raw\/bad\.jsonl: needs one line of kind "round", has 0/);
    assert.match(problems[3] ?? '', /again\.jsonl: round 1 of default-scheduler is also in /);
    assert.deepEqual(problemsOf(), ['there is no raw file']);
  });
});

describe('experiment plots', () => {
  it('have percentiles for each bucket, and a gap where nothing succeeded', () => {
    const [p50, p99] = latencySeries(first(), [50, 99], 5);
    assert.deepEqual(p50?.points, [
      [2.5, 200],
      [7.5, null],
      [12.5, 400],
    ]);
    assert.deepEqual(p99?.points[0], [2.5, 300]);
  });

  it('have pods and what each autoscaler wanted', () => {
    const series = podSeries(first());
    assert.deepEqual(
      series.map(({ name }) => name),
      ['running', 'pending', 'wl-hpa desired', 'wl-hpa2 desired'],
    );
    assert.deepEqual(series[2]?.points, [
      [0, 1],
      [5, 3],
      [10, 2],
    ]);
  });

  it('have a gap where CPU is unknown', () => {
    const node2 = cpuSeries(first()).find(({ name }) => name === 'node-2');
    assert.deepEqual(node2?.points, [
      [0, 20],
      [5, null],
    ]);
  });

  it('count the pods of each node, those without any as well', () => {
    assert.deepEqual(Object.fromEntries(placementCounts(first())), {
      'node-1': 2,
      'node-2': 3,
      'node-3': 0,
    });
  });
});
