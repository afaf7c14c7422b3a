/** Table of contents of Weft's native protocol for the web. Browser glue is in `./browser`. */
export type * from './types';
export { MemoryQueue } from './queue';
export type { QueueStore } from './queue';
export { createConnection } from './connection';
