// Hocuspocus with its SQLite extension, everything else as it comes: node hocuspocus.mjs FOLDER
import { join } from 'node:path';

import { SQLite } from '@hocuspocus/extension-sqlite';
import { Server } from '@hocuspocus/server';

const server = new Server({
  address: '127.0.0.1',
  port: 0,
  quiet: true,
  // The bench sends no heartbeats.
  timeout: 3_600_000,
  extensions: [new SQLite({ database: join(process.argv[2], 'documents.sqlite') })],
});
await server.listen();
console.log(`ready on http://127.0.0.1:${server.address.port}`);
