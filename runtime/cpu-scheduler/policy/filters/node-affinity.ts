import type { Filter } from '../filter';
import { matchesTerm } from '../selectors';

/** nodeSelector, and required node affinity: any one of its terms, all of that term's requirements. */
export const nodeAffinity: Filter = {
  rule: 'NodeAffinity',
  check: ({ nodeSelector, requiredTerms }, { info }) => {
    for (const key in nodeSelector) {
      if (info.labels[key] !== nodeSelector[key]) return REASONS;
    }
    const matches =
      requiredTerms === undefined ||
      requiredTerms.some((term) => matchesTerm(term, info.name, info.labels));
    return matches ? undefined : REASONS;
  },
};

const REASONS = ["node(s) didn't match Pod's node affinity/selector"];
