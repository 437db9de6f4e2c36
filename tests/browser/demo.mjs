// `sparvidd demo` as a newcomer starts it, and the pages that a person meets on the way. Selectors are structure, never words: the steps
// hold in every language. Neighbours: ../interop/harness starts processes and the browser.

import { join } from 'node:path';

import { answers } from '../interop/harness/loopback_fetch.mjs';
import { freePort, freshFolder } from '../interop/harness/places.mjs';
import { Running } from '../interop/harness/processes.mjs';
import { program } from '../interop/harness/sparvidd.mjs';

/** A demo that runs: `service` is where a person begins, `broker` the broker's address. */
export class Demo {
  static async start(suite) {
    const demo = new Demo();
    const folder = await freshFolder(suite);
    const log = join(folder, 'demo.log');
    const said = () => demo.running?.output() ?? '';
    demo.running = await Running.start('sparvidd demo', program(), ['demo', '--json', '--port', String(await freePort())], {
      cwd: folder,
      log,
      isReady: async () => demo.#read(log),
    });
    if (!(await answers(demo.service))) throw new Error(`nobody answers at ${demo.service}\n${said()}`);
    return demo;
  }

  #read() {
    return false;
  }

  /** Everything that it has logged. */
  log() {
    return this.running.output();
  }

  stop() {
    return this.running.stop('SIGINT');
  }
}
