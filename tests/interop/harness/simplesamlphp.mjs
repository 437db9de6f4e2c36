// SimpleSAMLphp as Debian packages it, set up as an identity provider the way its own documentation says: a configuration
// folder of its own, people in exampleauth:UserPass, the broker read from the metadata file that the broker publishes.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { answers, loopbackFetch } from './loopback_fetch.mjs';
import { freePort } from './places.mjs';
import { run, Running } from './processes.mjs';

const installed = '/usr/share/simplesamlphp';

/** A PHP literal of a value made of objects, arrays, strings, numbers, booleans and null. */
export function php(value) {
  if (value === null) return 'null';
  if (typeof value === 'boolean' || typeof value === 'number') return String(value);
  if (typeof value === 'string') return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  if (Array.isArray(value)) return `[${value.map(php).join(', ')}]`;
  return `[${Object.entries(value).map(([key, item]) => `${php(key)} => ${php(item)}`).join(', ')}]`;
}

/** An identity provider that runs. */
export class SimpleSamlPhp {
  /**
   * `host`: its name under localhost. `people`: { username: { password, attributes: { name: [value] } } }.
   * `hosted`: what to add to its metadata as identity provider (saml20-idp-hosted). `publishedBy`: metadata files of service providers.
   * `remote`: what its operator sets for those, over what their files say (saml20-sp-remote).
   */
  static async start(folder, { host, people, hosted = {}, publishedBy = [], remote = {} }) {
    const provider = new SimpleSamlPhp();
    provider.folder = join(folder, host);
    provider.port = await freePort();
    provider.origin = `http://${host}:${provider.port}`;
    provider.entityId = `${provider.origin}/saml2/idp/metadata.php`;
    provider.people = people;
    for (const part of ['metadata', 'cert', 'log', 'data', 'tmp', 'sessions']) {
      await mkdir(join(provider.folder, part), { recursive: true });
    }
    const certificate = ['-x509', '-newkey', 'rsa:3072', '-nodes', '-days', '30', '-subj', `/CN=${host}`];
    const files = ['-keyout', join(provider.folder, 'cert/idp.key'), '-out', join(provider.folder, 'cert/idp.crt')];
    await run('openssl', ['req', ...certificate, ...files]);
    await provider.#configure();
    await provider.#host(hosted);
    await provider.#know(publishedBy, remote);
    provider.running = await Running.start(`SimpleSAMLphp ${host}`, 'php', provider.#command(), {
      log: join(provider.folder, 'log/php.log'),
      env: { ...process.env, SIMPLESAMLPHP_CONFIG_DIR: provider.folder, PHP_CLI_SERVER_WORKERS: '4' },
      isReady: () => answers(provider.origin),
    });
    return provider;
  }

  #command() {
    const settings = { 'session.save_path': join(this.folder, 'sessions'), error_log: join(this.folder, 'log/error.log') };
    const options = Object.entries(settings).flatMap(([name, value]) => ['-d', `${name}=${value}`]);
    return [...options, '-S', `127.0.0.1:${this.port}`, '-t', join(installed, 'www')];
  }

  async #configure() {
    const config = {
      baseurlpath: `${this.origin}/`,
      certdir: join(this.folder, 'cert/'),
      loggingdir: join(this.folder, 'log/'),
      datadir: join(this.folder, 'data/'),
      tempdir: join(this.folder, 'tmp'),
      metadatadir: join(this.folder, 'metadata/'),
      attributenamemapdir: `${installed}/attributemap/`,
      technicalcontact_name: 'IT-enheten',
      technicalcontact_email: 'na@example.org',
      timezone: 'Europe/Stockholm',
      secretsalt: 'one-run-of-the-tests-and-never-again',
      'auth.adminpassword': 'one-run-of-the-tests-and-never-again',
      'admin.protectindexpage': true,
      'admin.checkforupdates': false,
      'logging.level': 7,
      'logging.handler': 'file',
      'logging.logfile': 'simplesamlphp.log',
      'enable.saml20-idp': true,
      'module.enable': { exampleauth: true, core: true, saml: true },
      'session.cookie.name': 'SimpleSAMLSessionID',
      'session.cookie.path': '/',
      'session.cookie.secure': false, // plain http, on this machine alone
      'session.cookie.samesite': 'Lax',
      'language.cookie.secure': false,
      'language.available': ['en', 'sv'],
      'language.default': 'sv',
      'store.type': 'phpsession',
      'metadata.sources': [{ type: 'flatfile' }],
      'metadata.sign.enable': false,
      showerrors: true,
      production: true,
    };
    await this.#write('config.php', `$config = ${php(config)};`);
    const users = Object.entries(this.people).map(([name, { password, attributes }]) => [`${name}:${password}`, attributes]);
    const sources = { personal: { 0: 'exampleauth:UserPass', ...Object.fromEntries(users) } };
    await this.#write('authsources.php', `$config = ${php(sources)};`);
  }

  async #host(hosted) {
    const metadata = {
      host: '__DEFAULT__',
      privatekey: 'idp.key',
      certificate: 'idp.crt',
      auth: 'personal',
      'attributes.NameFormat': 'urn:oasis:names:tc:SAML:2.0:attrname-format:uri',
      'signature.algorithm': 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
      'saml20.sign.response': true,
      'saml20.sign.assertion': true,
      'redirect.validate': true,
      'validate.authnrequest': true,
      ...hosted,
    };
    await this.#write('metadata/saml20-idp-hosted.php', `$metadata[${php(this.entityId)}] = ${php(metadata)};`);
  }

  /** Service providers, read from their files by SimpleSAMLphp's own parser. */
  async #know(publishedBy, remote) {
    await this.#write(
      'metadata/saml20-sp-remote.php',
      `foreach (${php(publishedBy)} as $file) {
        foreach (\\SimpleSAML\\Metadata\\SAMLParser::parseDescriptorsFile($file) as $entityId => $descriptor) {
          $metadata[$entityId] = array_merge($descriptor->getMetadata20SP(), ${php(remote)});
        }
      }`,
    );
  }

  async #write(name, statements) {
    await writeFile(join(this.folder, name), `<?php\n${statements}\n`);
  }

  /** Its metadata, as a file: what its operator sends to the federation. */
  async publish() {
    const answer = await loopbackFetch(this.entityId);
    const text = await answer.text();
    if (answer.status !== 200 || !text.includes('EntityDescriptor')) {
      throw new Error(`${this.entityId} answered ${answer.status}\n${text.slice(0, 2000)}`);
    }
    const file = join(this.folder, 'idp.xml');
    await writeFile(file, text);
    return file;
  }

  /** Everything that it has logged. */
  log() {
    return this.running.output();
  }

  stop() {
    return this.running.stop();
  }
}

/** A person at the provider's sign-in page. */
export async function signInAtProvider(page, username, password) {
  await page.locator('input[name=username]').fill(username);
  await page.locator('input[name=password]').fill(password);
  await Promise.all([page.waitForEvent('framenavigated'), page.locator('input[name=password]').press('Enter')]);
}
