import type { RulesAnswer } from '../autoscaler/answers';
import { openAutoscaler } from '../autoscaler/client';
import { rulesTable } from '../autoscaler/tables';
import type { CommandContext, CommonOptions } from '../command-context';

/** `npm run rules:init`: writes the rules in force down in MongoDB; again, it changes nothing. */
export async function rulesInit(
  { folder, print }: CommandContext,
  options: CommonOptions,
): Promise<number> {
  const api = await openAutoscaler(folder);
  const answer = await api.post<RulesAnswer>('/rules/init', {});
  print(options.json ? JSON.stringify(answer, null, 2) : rulesTable(answer));
  return 0;
}
