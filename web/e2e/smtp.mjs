/** A server of mail as small as can be, which keeps the letters that it takes. */
import { createServer } from 'node:net';

import { until } from './world.mjs';

export async function startSmtp() {
  const letters = [];
  const server = createServer((socket) => {
    let inLetter = false;
    let unread = '';
    let lines = [];
    const say = (line) => socket.write(`${line}\r\n`);
    say('220 test');
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      unread += bytes.toString();
      const whole = unread.split('\r\n');
      unread = whole.pop();
      for (const line of whole) {
        if (inLetter && line === '.') {
          inLetter = false;
          letters.push(lines.join('\n'));
          lines = [];
          say('250 taken');
        } else if (inLetter) lines.push(line);
        else if (line === 'DATA') {
          inLetter = true;
          say('354 go on');
        } else say(line === 'QUIT' ? '221 bye' : '250 well');
      }
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${server.address().port}`,
    /** The link to `page` in the next letter to somebody. */
    link: async (to, page) => {
      const find = () => letters.findIndex((letter) => letter.includes(`To: ${to}`));
      await until('a letter', async () => find() >= 0);
      const [letter] = letters.splice(find(), 1);
      return new RegExp(`https?://\\S+/${page}#\\S+`).exec(letter)[0];
    },
    close: () => server.close(),
  };
}

/** A port that nobody listens on now. */
export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
