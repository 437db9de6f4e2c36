// The API as it describes itself, asked by schemathesis: every check that it has, on examples of every operation. Whoever writes a client from the
// description finds no surprise, and nothing that anybody sends makes the broker stumble.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { loopbackFetch } from './harness/loopback_fetch.mjs';
import { freshFolder, target } from './harness/places.mjs';
import { attempt, Undo, until } from './harness/processes.mjs';
import { startRedis } from './harness/redis.mjs';
import { Sparvidd } from './harness/sparvidd.mjs';

const schemathesis = process.env.SCHEMATHESIS ?? join(target, 'tools', 'python', 'bin', 'schemathesis');

const record = `number = "2120009903"
name = { sv = "Granviks kommun" }
domains = ["granvik.localhost"]
scopes = ["granvik.localhost"]
support = { email = "support@granvik.localhost" }
`;

// No schema can say what the rules of metadata say (422), nor which version somebody has seen (412, 428): these refusals are answers as well.
const settings = `[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", 401, 403, 404, 409, 412, 422, 428, 429]
`;

const party = (name) =>
  JSON.stringify({
    client_id: name,
    'client_name#sv': `Tjänsten ${name}`,
    redirect_uris: [`https://${name}.granvik.localhost/callback`],
    token_endpoint_auth_method: 'client_secret_basic',
    scope: 'openid',
  });

describe('the API by schemathesis', { timeout: 900_000 }, () => {
  const undo = new Undo();
  let broker;

  const issue = async (right, holder) => {
    const words = ['token', 'issue', '--organisation', '2120009903', '--right', right, '--holder', holder, '--json'];
    const { token } = JSON.parse((await broker.command(...words)).stdout);
    const headers = { authorization: `Bearer ${token}` };
    await until('the token is known', async () => {
      const answer = await loopbackFetch(`${broker.issuer}/api/v1/token`, { headers });
      await answer.text();
      return answer.status === 200;
    });
    return token;
  };

  before(async () => {
    assert.ok(existsSync(schemathesis), `${schemathesis} is not there: tests/run --tier install, or set SCHEMATHESIS`);
    const folder = await freshFolder('api');
    const redis = undo.later(await startRedis(folder));
    broker = undo.later(await Sparvidd.start(folder, { store: redis.url }));
    await broker.stop();
    const config = `issuer = "${broker.issuer}"\nlisten = "127.0.0.1:${broker.port}"\nkeys = "keys"\n[store]\nurl = "${redis.url}"\n[api]\nrequests_per_minute = 1000000\n`;
    await writeFile(broker.config, config);
    await broker.serve();
    await broker.addOrganisation('granvik', record);
    // By a file and an address of its own: Python knows no names under localhost.
    const description = await loopbackFetch(`${broker.issuer}/api/v1/openapi.json`);
    await writeFile(join(broker.folder, 'openapi.json'), await description.text());
    // Something to read: an entry that is live, and proposals that wait, the one of the description's example among them.
    const add = async (name, ...options) => {
      const file = join(broker.folder, `${name}.json`);
      await writeFile(file, party(name));
      await broker.addMetadata(file, '--organisation', '2120009903', ...options);
    };
    await add('journal');
    for (let number = 1; number <= 9; number += 1) await add(`karta${number}`, '--propose', '--as', 'Anna');
    await writeFile(join(broker.folder, 'schemathesis.toml'), settings);
  });
  after(() => undo.all());

  const ask = (token, ...more) =>
    attempt(
      schemathesis,
      [
        'run', join(broker.folder, 'openapi.json'),
        '--url', `http://127.0.0.1:${broker.port}/api`,
        '--header', `Authorization: Bearer ${token}`,
        '--checks', 'all',
        '--generation-deterministic',
        '--no-color',
        ...more,
      ],
      { cwd: broker.folder, timeout: 600_000, maxBuffer: 64 * 1024 * 1024 },
    );

  test('every operation answers as it says, whatever is sent', async () => {
    const token = await issue('publish', 'Bo Ek');
    const outcome = await ask(token, '--max-examples', '40', '--exclude-operation-id', 'revokeToken', '--exclude-operation-id', 'rotateToken');
    assert.equal(outcome.code, 0, outcome.stdout + outcome.stderr);
    assert.match(outcome.stdout, /14 selected|Operations:\s+14/);
    assert.ok(!/"level":"ERROR"| ERROR /.test(broker.log()), broker.log());
  });

  test('the two that end a token, too', async () => {
    for (const operation of ['rotateToken', 'revokeToken']) {
      const token = await issue('propose', `Cia ${operation}`);
      // Once used the token is none any more: what is looked at is that each answer is a described one.
      const outcome = await ask(token, '--max-examples', '3', '--include-operation-id', operation, '--exclude-checks', 'positive_data_acceptance,ignored_auth,use_after_free,ensure_resource_availability');
      assert.equal(outcome.code, 0, outcome.stdout + outcome.stderr);
    }
  });
});
