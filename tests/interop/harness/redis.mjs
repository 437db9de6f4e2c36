// A Redis server of one's own: nothing on disk, gone with the suite.

import { connect } from 'node:net';
import { join } from 'node:path';

import { freePort } from './places.mjs';
import { Running } from './processes.mjs';

function ping(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const done = (answered) => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(1000, () => done(false));
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (octets) => done(octets.toString().startsWith('+PONG')));
    socket.once('error', () => done(false));
  });
}

/** `{ port, url, stop() }` of a server that answers. */
export async function startRedis(folder) {
  const port = await freePort();
  const settings = ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--appendonly', 'no', '--dir', folder];
  const running = await Running.start('redis-server', 'redis-server', settings, {
    log: join(folder, 'redis.log'),
    isReady: () => ping(port),
  });
  return { port, url: `redis://127.0.0.1:${port}/0`, stop: () => running.stop() };
}
