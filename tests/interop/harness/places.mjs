// Where things are: the tree, a folder for one run, free ports on the loopback address. Neighbours: processes.mjs starts what
// listens there.

import { mkdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the tree. */
export const root = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');

/** The folder where what is built and what is written by a run goes. */
export const target = process.env.CARGO_TARGET_DIR ?? join(root, 'target');

/** A new, empty folder for one suite; it is kept, so that a failed run can be looked at. */
export async function freshFolder(suite) {
  const path = join(target, 'interop', suite);
  await rm(path, { recursive: true, force: true });
  await mkdir(path, { recursive: true });
  return path;
}

const taken = new Set();

/** A port on the loopback address that nobody listens on now, and that this process has not given out before. */
export async function freePort() {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const port = await new Promise((resolve, reject) => {
      const probe = createServer();
      probe.once('error', reject);
      probe.listen(0, '127.0.0.1', () => {
        const { port } = probe.address();
        probe.close(() => resolve(port));
      });
    });
    if (!taken.has(port)) {
      taken.add(port);
      return port;
    }
  }
  throw new Error('no free port in fifty attempts');
}
