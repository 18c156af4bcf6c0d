import assert from 'node:assert/strict';
import { lastLines, resultsCsv } from '../../runtime/cli/results';

const line = (fields: object) =>
  JSON.stringify({ level: 'info', time: 't', service: 'a', ...fields });

describe('results of a job', () => {
  it('is a CSV of the logged images, in the order of the first row', () => {
    const log = [
      'not JSON',
      line({ msg: 'started' }),
      line({ event: 'image', image: 'a,b.jpg', verdict: 'Good', neck: 12.5, msg: 'image' }),
      line({ event: 'image', image: 'c.jpg', verdict: 'NoPose', error: 'x "y"', msg: 'image' }),
      '{"event":"image","image":"cut',
    ].join('\n');
    assert.equal(
      resultsCsv(log),
      'image,verdict,neck,error\n"a,b.jpg",Good,12.5,\nc.jpg,NoPose,,"x ""y"""\n',
    );
  });

  it('is nothing where nothing was logged', () => {
    assert.equal(resultsCsv(''), undefined);
    assert.equal(resultsCsv(line({ msg: 'started' })), undefined);
  });

  it('names the last lines of a log that say something', () => {
    assert.deepEqual(lastLines('a\n\nb\n c\n\n', 2), ['b', ' c']);
  });
});
