// The broker itself, as a federation operator runs it: by its commands and its configuration file, nothing else.

import { mkdir, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { loopbackFetch } from './loopback_fetch.mjs';
import { freePort, target } from './places.mjs';
import { attempt, run, Running, until } from './processes.mjs';

/** The program that is tested: what `cargo build` made, unless SPARVIDD names another. */
export function program() {
  const path = process.env.SPARVIDD ?? join(target, 'debug', 'sparvidd');
  if (!existsSync(path)) throw new Error(`${path} is not there: cargo build, or set SPARVIDD`);
  return path;
}

/** A broker that runs. */
export class Sparvidd {
  /** `store`: the address of its store. `more`: further lines of configuration, before the tables. */
  static async start(folder, { store, host = 'broker.localhost', more = '' }) {
    const broker = new Sparvidd();
    broker.folder = join(folder, 'sparvidd');
    broker.port = await freePort();
    broker.issuer = `http://${host}:${broker.port}`;
    broker.config = join(broker.folder, 'sparvidd.toml');
    await mkdir(broker.folder, { recursive: true });
    await run(program(), ['keys', 'init', join(broker.folder, 'keys')], { cwd: broker.folder });
    const lines = [
      `issuer = "${broker.issuer}"`,
      `listen = "127.0.0.1:${broker.port}"`,
      'keys = "keys"',
      more,
      '[store]',
      `url = "${store}"`,
    ];
    await writeFile(broker.config, `${lines.filter(Boolean).join('\n')}\n`);
    await broker.serve();
    return broker;
  }

  /** Starts it, by its configuration file as that is now. */
  async serve() {
    this.running = await Running.start('sparvidd', program(), ['serve', '--config', this.config], {
      cwd: this.folder,
      log: join(this.folder, 'sparvidd.log'),
      isReady: () => this.#serves(),
    });
  }

  async #serves() {
    try {
      const answer = await loopbackFetch(`${this.issuer}/.well-known/openid-configuration`);
      return answer.status === 200;
    } catch {
      return false;
    }
  }

  /** A command of the federation operator; throws when it is refused. */
  command(...words) {
    return run(program(), [...words, '--config', this.config], { cwd: this.folder });
  }

  /** The same, whatever comes of it: `{ code, stdout, stderr }`. */
  tryCommand(...words) {
    return attempt(program(), [...words, '--config', this.config], { cwd: this.folder });
  }

  /** Registers an organisation from the text of its record. */
  async addOrganisation(name, record) {
    const file = join(this.folder, `${name}.toml`);
    await writeFile(file, record);
    return this.command('organisation', 'add', file);
  }

  /** Registers a peer from the file that it sent. */
  addMetadata(file, ...options) {
    return this.command('metadata', 'add', file, ...options);
  }

  /** Its own metadata as service provider, as the file that it publishes. */
  async publish() {
    const answer = await loopbackFetch(`${this.issuer}/saml/metadata`);
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(`/saml/metadata answered ${answer.status}\n${text}`);
    const file = join(this.folder, 'sp.xml');
    await writeFile(file, text);
    return file;
  }

  /** Waits until what was registered is live: an authorization request of that client no longer is an unknown one. */
  async knows(clientId, redirectUri) {
    const question = new URLSearchParams({
      client_id: clientId,
      redirect_uri: redirectUri,
      response_type: 'none',
      scope: 'openid',
      state: 'is-it-live',
    });
    await until(`${clientId} is live`, async () => {
      const answer = await loopbackFetch(`${this.issuer}/oidc/authorize?${question}`);
      return (answer.headers.get('location') ?? '').startsWith(redirectUri);
    }, 10);
  }

  /** Everything that it has logged. */
  log() {
    return this.running.output();
  }

  stop() {
    return this.running.stop();
  }
}

