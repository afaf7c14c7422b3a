// The y-websocket server with LevelDB, everything else as it comes: node y-websocket.mjs FOLDER
import { createServer } from 'node:http';
import { join } from 'node:path';

import WebSocket from 'ws';

// Read when the module is loaded.
process.env.YPERSISTENCE = join(process.argv[2], 'leveldb');
const { setupWSConnection } = await import('@y/websocket-server/utils');

const server = createServer();
const sockets = new WebSocket.Server({ server });
sockets.on('connection', (socket, request) => setupWSConnection(socket, request));
server.listen(0, '127.0.0.1', () => {
  console.log(`ready on http://127.0.0.1:${server.address().port}`);
});
