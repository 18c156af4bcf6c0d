import type { Reporter } from '../report';
export async function ensureHostPackages(_reporter: Reporter): Promise<void> {}
