export * from './property-diff';
export * from './provider';
export * from './server';
export * from './values';
