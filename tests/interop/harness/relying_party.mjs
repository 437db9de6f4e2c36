// A relying party as a developer would write one on openid-client: a small web server with /login and /callback. It knows the
// broker by its issuer alone, and checks everything that the library can check.

import { createServer } from 'node:http';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { exportJWK, createLocalJWKSet, jwtVerify } from 'jose';
import * as oidc from 'openid-client';

import { loopbackFetch } from './loopback_fetch.mjs';
import { freePort } from './places.mjs';

const curve = { name: 'ECDSA', namedCurve: 'P-256' };
const rsa = { name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' };

/** How a client may prove who it is: what it registers, and what openid-client does with it. */
const authentications = {
  client_secret_basic: () => bySecret('client_secret_basic', oidc.ClientSecretBasic),
  client_secret_post: () => bySecret('client_secret_post', oidc.ClientSecretPost),
  private_key_jwt: () => byKey('ES256', curve),
  'private_key_jwt RS256': () => byKey('RS256', rsa),
};

function bySecret(method, authenticate) {
  // Signs that a form has to escape: RFC 6749, section 2.3.1, encodes them before Basic does.
  const secret = `${oidc.randomState()}+/=%:& ~`;
  return {
    registration: { token_endpoint_auth_method: method, client_secret: secret },
    authentication: authenticate(secret),
  };
}

async function byKey(alg, algorithm) {
  const pair = await crypto.subtle.generateKey(algorithm, false, ['sign', 'verify']);
  const kid = oidc.randomState().slice(0, 12);
  const key = { ...(await exportJWK(pair.publicKey)), kid, alg, use: 'sig' };
  return {
    registration: {
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: alg,
      jwks: { keys: [key] },
    },
    authentication: oidc.PrivateKeyJwt({ key: pair.privateKey, kid }),
  };
}

/** A relying party that runs. */
export class RelyingParty {
  #pending = new Map();

  /**
   * `host`: its name under localhost. `authentication`: a key of the table above. `scope`: all that it may ask for.
   * `registration`: further members of its client metadata.
   */
  static async start({ issuer, clientId, host, authentication, scope, registration = {} }) {
    const party = new RelyingParty();
    Object.assign(party, { issuer, clientId, scope, outcomes: [] });
    party.port = await freePort();
    party.origin = `http://${host}:${party.port}`;
    party.redirectUri = `${party.origin}/callback`;
    const proof = await authentications[authentication]();
    party.authentication = proof.authentication;
    party.registration = {
      client_id: clientId,
      client_name: clientId,
      redirect_uris: [party.redirectUri],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      scope,
      ...proof.registration,
      ...registration,
    };
    party.server = createServer((question, answer) => party.#serve(question, answer));
    await new Promise((resolve) => party.server.listen(party.port, '127.0.0.1', resolve));
    return party;
  }

  /** Its client metadata as a file: what its developer sends to the federation. */
  async publish(folder) {
    const file = join(folder, `${this.clientId}.json`);
    await writeFile(file, JSON.stringify(this.registration, null, 2));
    return file;
  }

  /** Reads the broker's discovery document, as openid-client does when a service starts. */
  async connect() {
    this.configuration = await oidc.discovery(
      new URL(this.issuer),
      this.clientId,
      {
        id_token_signed_response_alg: this.registration.id_token_signed_response_alg ?? 'RS256',
        userinfo_signed_response_alg: this.registration.userinfo_signed_response_alg,
      },
      this.authentication,
      {
        [oidc.customFetch]: loopbackFetch,
        execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks],
      },
    );
    return this;
  }

  /** Where a person begins. `parameters` are added to the authorization request. */
  start(parameters = {}) {
    return `${this.origin}/login?${new URLSearchParams(parameters)}`;
  }

  async #serve(question, answer) {
    try {
      const url = new URL(question.url, this.origin);
      if (url.pathname === '/login') {
        answer.writeHead(302, { location: (await this.#begin(Object.fromEntries(url.searchParams))).href }).end();
      } else if (url.pathname === '/callback') {
        const outcome = await this.#finish(url);
        this.outcomes.push(outcome);
        const escaped = JSON.stringify(outcome, null, 2).replaceAll('&', '&amp;').replaceAll('<', '&lt;');
        const page = `<!doctype html><title>${outcome.error ? 'Inte inloggad' : 'Inloggad'}</title><pre>${escaped}</pre>`;
        answer.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page);
      } else {
        answer.writeHead(404).end();
      }
    } catch (error) {
      answer.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' }).end(String(error.stack));
    }
  }

  async #begin(parameters) {
    const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
    const state = oidc.randomState();
    const nonce = oidc.randomNonce();
    this.#pending.set(state, { pkceCodeVerifier, nonce });
    return oidc.buildAuthorizationUrl(this.configuration, {
      redirect_uri: this.redirectUri,
      scope: this.scope,
      code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
      state,
      nonce,
      ...parameters,
    });
  }

  async #finish(url) {
    const expectedState = url.searchParams.get('state');
    const pending = this.#pending.get(expectedState);
    if (pending === undefined) return { error: 'state_unknown', answer: Object.fromEntries(url.searchParams) };
    this.#pending.delete(expectedState);
    try {
      const tokens = await oidc.authorizationCodeGrant(this.configuration, url, {
        pkceCodeVerifier: pending.pkceCodeVerifier,
        expectedState,
        expectedNonce: pending.nonce,
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      const userinfo = await oidc.fetchUserInfo(this.configuration, tokens.access_token, claims.sub);
      return { claims, userinfo, ...(await this.#secondLook(tokens.id_token)) };
    } catch (error) {
      if (error.error === undefined) throw error;
      return { error: error.error, description: error.error_description, status: error.status, answer: Object.fromEntries(url.searchParams) };
    }
  }

  /** The ID token once more, with jose alone and the key set as it is published. */
  async #secondLook(idToken) {
    const { jwks_uri: address } = this.configuration.serverMetadata();
    const keys = createLocalJWKSet(await (await loopbackFetch(address)).json());
    const { protectedHeader, payload } = await jwtVerify(idToken, keys, { issuer: this.issuer, audience: this.clientId });
    return { header: protectedHeader, secondLook: payload };
  }

  /** The last outcome; throws when there is none. */
  last() {
    const outcome = this.outcomes.at(-1);
    if (outcome === undefined) throw new Error(`${this.clientId} has seen nobody`);
    return outcome;
  }

  stop() {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }
}
