// What holds for every page, whoever made it: nothing from elsewhere, nothing that the content policy stopped, nothing wider than the
// screen, a language, a title and one heading.

import assert from 'node:assert/strict';

/** Notes what a page asks for and what its policy stops; `assertQuiet()` at the end. */
export function watch(page) {
  const requests = [];
  const complaints = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('console', (message) => {
    if (/Content Security Policy|Refused to|Mixed Content/i.test(message.text())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  return {
    assertQuiet() {
      const foreign = requests.filter((url) => /^https?:/.test(url) && !new URL(url).hostname.endsWith('.localhost'));
      assert.deepEqual(foreign, [], 'a page asks somebody else');
      assert.deepEqual(complaints, [], 'a page was stopped by its own policy or failed');
    },
  };
}

/** Asserts what holds for every page. */
export async function assertSound(page, language) {
  const seen = await page.evaluate(() => ({
    language: document.documentElement.lang,
    title: document.title,
    headings: document.querySelectorAll('h1').length,
    tooWide: document.documentElement.scrollWidth > document.documentElement.clientWidth,
    small: [...document.querySelectorAll('main button, main a.first, main a.second, #choices a')]
      .map((it) => ({ text: it.textContent.trim(), box: it.getBoundingClientRect() }))
      .filter(({ box }) => box.height > 0 && box.height < 44)
      .map(({ text, box }) => `${text}: ${Math.round(box.height)} px`),
  }));
  const where = `${page.url()} (${seen.title})`;
  assert.equal(seen.language, language, where);
  assert.ok(seen.title.trim().length > 0, where);
  assert.equal(seen.headings, 1, where);
  assert.equal(seen.tooWide, false, `${where} is wider than the screen`);
  assert.deepEqual(seen.small, [], `${where}: targets lower than 44 px`);
}
