// `sparvidd demo` as a newcomer starts it, and the pages that a person meets on the way. Selectors are structure, never words: the steps
// hold in every language. Neighbours: ../interop/harness starts processes and the browser.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { answers } from '../interop/harness/loopback_fetch.mjs';
import { freshFolder } from '../interop/harness/places.mjs';
import { Running } from '../interop/harness/processes.mjs';
import { program } from '../interop/harness/sparvidd.mjs';

/** A demo that runs: `service`, `broker` and `providers` as its line of JSON says. */
export class Demo {
  static async start(suite) {
    const demo = new Demo();
    const folder = await freshFolder(suite);
    const log = join(folder, 'demo.log');
    demo.running = await Running.start('sparvidd demo', program(), ['demo', '--json', '--port', '0'], {
      cwd: folder,
      log,
      isReady: async () => demo.#read(readFileSync(log, 'utf8')),
    });
    if (!(await answers(demo.service))) throw new Error(`nobody answers at ${demo.service}\n${demo.log()}`);
    return demo;
  }

  /** Reads the line of addresses, when it is there. */
  #read(output) {
    const line = output.split('\n').find((line) => line.startsWith('{') && line.includes('"service"'));
    if (line === undefined) return false;
    Object.assign(this, JSON.parse(line));
    return true;
  }

  /** Everything that it has logged. */
  log() {
    return this.running.output();
  }

  stop() {
    return this.running.stop('SIGINT');
  }
}
