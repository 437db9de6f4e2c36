// `fetch` for hosts under `localhost`. Browsers know that these are this machine (RFC 6761, section 6.3); Node asks the
// resolver of the system, which may not. Nothing but the name's address is changed: Host, path and body go as they are.

import { request } from 'node:http';

const lookup = (_host, options, done) =>
  options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4);

/** Like `fetch`, redirects never followed, for `http:` on `localhost` and the names under it. */
export async function loopbackFetch(address, init = {}) {
  const url = new URL(address);
  if (url.protocol !== 'http:' || !(url.hostname === 'localhost' || url.hostname.endsWith('.localhost'))) {
    throw new TypeError(`${url.origin} is not on this machine`);
  }
  const headers = Object.fromEntries(new Headers(init.headers ?? {}));
  const body = init.body === undefined || init.body === null ? undefined : String(init.body);
  if (body !== undefined) {
    headers['content-length'] = String(Buffer.byteLength(body));
    if (init.body instanceof URLSearchParams) {
      headers['content-type'] ??= 'application/x-www-form-urlencoded;charset=UTF-8';
    }
  }
  return new Promise((resolve, reject) => {
    const call = request(url, { method: init.method ?? 'GET', headers, lookup, signal: init.signal ?? undefined }, (answer) => {
      const pieces = [];
      answer.on('data', (piece) => pieces.push(piece));
      answer.on('error', reject);
      answer.on('end', () => {
        const answered = new Headers();
        for (let at = 0; at + 1 < answer.rawHeaders.length; at += 2) {
          answered.append(answer.rawHeaders[at], answer.rawHeaders[at + 1]);
        }
        const hasNoBody = [204, 205, 304].includes(answer.statusCode);
        resolve(new Response(hasNoBody ? null : Buffer.concat(pieces), { status: answer.statusCode, headers: answered }));
      });
    });
    call.setTimeout(20_000, () => call.destroy(new Error(`${url.origin} did not answer in 20 s`)));
    call.on('error', reject);
    call.end(body);
  });
}

/** Whether something answers there, with any status. */
export async function answers(address) {
  try {
    await loopbackFetch(address);
    return true;
  } catch {
    return false;
  }
}
