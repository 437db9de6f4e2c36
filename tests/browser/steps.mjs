// One step a function, from the service to the service.

const hostOf = (address) => new URL(address).hostname;

/** The rows of the provider choice. */
export const choices = (page) => page.locator('#choices a');

/** From the service's first page to the choice: its one way to sign in. */
export async function begin(page) {
  await page.locator('main a[href="/sign-in"]').first().click();
  await choices(page).first().waitFor();
}

/** Chooses the organisation at a place of the list. */
export const choose = (page, at) => choices(page).nth(at).click();

/** The browser is at a provider's page with people; presses on where a form does not send itself. */
export async function untilProvider(page, demo) {
  await onward(page, (url) => ![hostOf(demo.broker), hostOf(demo.service)].includes(url.hostname));
  await page.locator('h1').waitFor();
}

/** Signs in as the first person of the provider's page. */
export const signInAsFirst = (page) => page.locator('button[name=employee]').first().click();

/** The browser shows the notice. */
export async function untilNotice(page) {
  const accept = page.locator('button[name=decision][value=accept]');
  const send = page.locator('#onward button');
  await accept.or(send).first().waitFor();
  // Without JavaScript the provider's form waits for a press; with it, it may be gone before the press.
  if ((await send.count()) > 0) await send.click({ timeout: 2000 }).catch(() => null);
  await accept.waitFor();
}

/** The browser is at the service. */
export async function untilService(page, demo) {
  await onward(page, (url) => url.hostname === hostOf(demo.service));
  await page.locator('h1').waitFor();
}

/** Accepts the notice, to the service. */
export async function accept(page, demo) {
  await page.locator('button[name=decision][value=accept]').click();
  await untilService(page, demo);
}

/** From nothing to the notice. */
export async function toNotice(page, demo, at) {
  await page.goto(demo.service);
  await begin(page);
  await choose(page, at);
  await untilProvider(page, demo);
  await signInAsFirst(page);
  await untilNotice(page);
}

/** Whether the service shows somebody. */
export const isSignedIn = (page, demo) => page.url() === `${demo.service}/received`;

/** Waits for an address; without JavaScript a self-posting form waits for a press, so presses. */
async function onward(page, isThere) {
  for (let press = 0; press < 3; press += 1) {
    try {
      await page.waitForURL(isThere, { timeout: 4000 });
      return;
    } catch {
      const button = page.locator('form.actions button.first, form button[type=submit]').first();
      if ((await button.count()) > 0) await button.click({ timeout: 2000 }).catch(() => null);
    }
  }
  await page.waitForURL(isThere);
}
