// Starts and stops other programs, each by its own process id, with its output in a file. Every wait has an end.

import { execFile, spawn } from 'node:child_process';
import { openSync, closeSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Runs a program to its end and gives its output; throws with the output when it fails. */
export async function run(program, argumentList, options = {}) {
  try {
    return await execute(program, argumentList, { timeout: 60_000, maxBuffer: 16 * 1024 * 1024, ...options });
  } catch (error) {
    throw new Error(`${program} ${argumentList.join(' ')}: ${error.message}\n${error.stdout ?? ''}\n${error.stderr ?? ''}`);
  }
}

/** Runs a program to its end whatever comes of it: `{ code, stdout, stderr }`. */
export async function attempt(program, argumentList, options = {}) {
  try {
    const { stdout, stderr } = await execute(program, argumentList, { timeout: 60_000, ...options });
    return { code: 0, stdout, stderr };
  } catch (error) {
    if (typeof error.code !== 'number') throw error;
    return { code: error.code, stdout: error.stdout, stderr: error.stderr };
  }
}

/** Asks `isTrue` until it holds; throws with `what` after `seconds`. */
export async function until(what, isTrue, seconds = 20) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    if (await isTrue()) return;
    if (Date.now() > end) throw new Error(`not within ${seconds} s: ${what}`);
    await pause(50);
  }
}

const alive = new Set();

/** A program that goes on until `stop`. */
export class Running {
  /** Starts it, and waits until `isReady` holds. `log` is the file that its output goes to. */
  static async start(name, program, argumentList, { log, isReady, ...options }) {
    const output = openSync(log, 'a');
    // A process group of its own: a program may start workers that would outlive it.
    const child = spawn(program, argumentList, { stdio: ['ignore', output, output], detached: true, ...options });
    closeSync(output);
    const running = new Running(name, child, log);
    try {
      await until(`${name} is ready`, async () => {
        if (running.ended !== undefined) throw new Error(`${name} ended at once: ${running.ended}`);
        return isReady();
      });
    } catch (error) {
      await running.stop();
      throw new Error(`${error.message}\n${running.output().slice(-4000)}`);
    }
    return running;
  }

  /** Sends a signal to the program and to what it started. */
  #signal(signal) {
    try {
      if (this.child.pid !== undefined) process.kill(-this.child.pid, signal);
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  }

  constructor(name, child, log) {
    this.name = name;
    this.child = child;
    this.log = log;
    this.ended = undefined;
    alive.add(this);
    this.end = new Promise((resolve) => {
      const note = (how) => {
        this.ended ??= how;
        resolve();
      };
      child.once('exit', (code, signal) => note(`code ${code}, signal ${signal}`));
      child.once('error', (error) => note(error.message));
    });
  }

  /** All that it has written so far. */
  output() {
    return readFileSync(this.log, 'utf8');
  }

  /** Asks it to stop; insists after five seconds. */
  async stop(signal = 'SIGTERM') {
    if (this.ended === undefined) {
      this.#signal(signal);
      await Promise.race([this.end, pause(5000, undefined, { ref: false })]);
    }
    this.kill();
    await this.end;
  }

  /** Ends it and all that it started, at once. */
  kill() {
    alive.delete(this);
    this.#signal('SIGKILL');
  }
}

// Whatever ends this process, nothing that it started stays.
process.on('exit', () => {
  for (const running of alive) running.kill();
});
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.once(signal, () => process.exit(1));

/** Things to undo, last first, each tried even when another fails. */
export class Undo {
  #steps = [];

  /** Remembers how to undo `thing` and gives it back. */
  later(thing, undo = (it) => it.stop()) {
    this.#steps.push(() => undo(thing));
    return thing;
  }

  async all() {
    const failures = [];
    for (const step of this.#steps.reverse()) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    this.#steps = [];
    if (failures.length > 0) throw new AggregateError(failures, 'could not undo everything');
  }
}
