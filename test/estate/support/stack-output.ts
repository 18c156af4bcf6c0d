import { estate } from './session';

/** A plain output of the dev stack, as the engine has it. */
export async function readStackOutput(name: string): Promise<string> {
  const { checkout } = await estate();
  const { stdout } = await checkout.npm('lab:shell', [
    'pulumi',
    'stack',
    'output',
    name,
    '-s',
    'dev',
  ]);
  return stdout.trim().split('\n').pop() ?? '';
}
