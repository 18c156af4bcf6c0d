import type {
  LabelSelector,
  NodeSelectorTerm,
  SelectorRequirement,
} from '../../shared/kubernetes/types';

type Labels = Readonly<Record<string, string>>;

const INTEGER = /^[+-]?\d+$/;

/** Numbers as Go's ParseInt reads them: 64 bits, decimal; undefined for anything else. */
function parseInt64(text: string | undefined): bigint | undefined {
  if (text === undefined || !INTEGER.test(text)) return undefined;
  const value = BigInt(text.replace(/^\+/, ''));
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

/** Whether labels meet one requirement; a requirement that makes no sense is met by none. */
export function matchesRequirement(requirement: SelectorRequirement, labels: Labels): boolean {
  const { key, operator, values = [] } = requirement;
  const has = Object.hasOwn(labels, key);
  const value = labels[key];
  switch (operator) {
    case 'In':
      return has && values.includes(value ?? '');
    case 'NotIn':
      return !has || !values.includes(value ?? '');
    case 'Exists':
      return has;
    case 'DoesNotExist':
      return !has;
    case 'Gt':
    case 'Lt': {
      if (!has || values.length !== 1) return false;
      const ours = parseInt64(value);
      const theirs = parseInt64(values[0]);
      if (ours === undefined || theirs === undefined) return false;
      return operator === 'Gt' ? ours > theirs : ours < theirs;
    }
    default:
      return false;
  }
}

/** Whether a node meets one requirement on its fields, of which there is one: metadata.name. */
function matchesField(requirement: SelectorRequirement, nodeName: string): boolean {
  const { key, operator, values = [] } = requirement;
  const value = key === 'metadata.name' ? nodeName : '';
  if (values.length !== 1) return false;
  if (operator === 'In') return values[0] === value;
  return operator === 'NotIn' && values[0] !== value;
}

/** Whether a node meets all of a term. An empty term matches no node. */
export function matchesTerm(term: NodeSelectorTerm, nodeName: string, labels: Labels): boolean {
  const { matchExpressions = [], matchFields = [] } = term;
  if (matchExpressions.length === 0 && matchFields.length === 0) return false;
  return (
    matchExpressions.every((requirement) => matchesRequirement(requirement, labels)) &&
    matchFields.every((requirement) => matchesField(requirement, nodeName))
  );
}

/** Whether labels meet a label selector. None at all matches nothing, an empty one everything. */
export function matchesLabelSelector(selector: LabelSelector | undefined, labels: Labels): boolean {
  if (selector === undefined) return false;
  return (
    Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value) &&
    (selector.matchExpressions ?? []).every((one) => matchesRequirement(one, labels))
  );
}
