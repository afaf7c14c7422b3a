/**
 * A Weft server of one test file: release program, free port, folder of its own.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const program =
  process.env.WEFT_PROGRAM ?? fileURLToPath(new URL('../../target/release/weft', import.meta.url));
const startMsMax = 30_000;
const stopMsMax = 15_000;

/** Starts a server; resolves once it has printed that it is ready. Port 0 takes a free one. */
export async function startServer(args = [], port = 0) {
  const dataDir = await mkdtemp(join(tmpdir(), 'weft-e2e-'));
  const server = { dataDir, ...(await run(dataDir, `127.0.0.1:${port}`, args, true)) };
  server.stop = () => end(server.child);
  /** Ends the program at once, as a power cut would, and starts it again on the same port. */
  server.killAndRestart = async (whileItIsGone = () => undefined) => {
    await end(server.child, 'SIGKILL');
    await whileItIsGone();
    Object.assign(server, await run(dataDir, new URL(server.url).host, args, false));
  };
  server.remove = async () => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  return server;
}

/** The first start prints a set-up link, too. */
function run(dataDir, listen, args, first) {
  const all = ['serve', '--listen', listen, '--data-dir', dataDir, ...args];
  const child = spawn(program, all, { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = [];
  const killed = () => child.kill('SIGKILL');
  process.once('exit', killed);
  child.once('exit', () => process.off('exit', killed));
  createInterface({ input: child.stderr }).on('line', (line) => said.push(line));

  return new Promise((resolve, reject) => {
    const found = { child, said };
    const fail = (why) => reject(new Error(`${why}\n${said.join('\n')}`));
    const late = setTimeout(() => fail('the server was not ready in time'), startMsMax);
    child.once('error', (error) => fail(`${program}: ${error.message}`));
    child.once('exit', (code) => fail(`the server ended with ${code}`));
    createInterface({ input: child.stdout }).on('line', (line) => {
      said.push(line);
      found.setupUrl ??= /https?:\/\/\S+\/setup#\S+/.exec(line)?.[0];
      found.url ??= /Weft is ready on (https?:\/\/[^\s/]+)/.exec(line)?.[1];
      if (found.url !== undefined && (!first || found.setupUrl !== undefined)) {
        clearTimeout(late);
        resolve(found);
      }
    });
  });
}

function end(child, signal = 'SIGTERM') {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error('the server did not stop in time'));
    }, stopMsMax);
    child.once('exit', () => {
      clearTimeout(late);
      resolve();
    });
    child.kill(signal);
  });
}
