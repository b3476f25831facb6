// The console of a real operator, after a failover of real servers: run by the tests of tests/e2e,
// with OPERATOR_URL, and OLD_SOURCE and NEW_SOURCE as namespace/name of the Units.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { join } from 'node:path';
import { startBrowser } from './harness.mjs';

const { OPERATOR_URL, OLD_SOURCE, NEW_SOURCE, SCREENSHOTS } = process.env;
const waitForText = (locator, text) => locator.filter({ hasText: text }).first().waitFor();

let browser;
before(async () => {
  browser = await startBrowser();
});
after(() => browser.stop());

test('from the dead source to the writes that made another one the source', { timeout: 120_000 }, async () => {
  const page = await browser.context.newPage();
  const complaints = [];
  page.on('pageerror', (e) => complaints.push(String(e)));

  try {
    await page.goto(`${OPERATOR_URL}/console/#/?name=${encodeURIComponent(OLD_SOURCE)}`);
    await page.locator('.rows [role=row]:not(.loading)').getByRole('link', { name: OLD_SOURCE }).first().click();
    // A death that is quick is seen when it is over, and its server is sometimes missed first.
    const death = page.locator('.timeline li').filter({ hasText: /dying|ended by signal/ }).first();
    await death.locator('.causes .chain-link').first().click();

    await waitForText(page.locator('h1'), /dying|ended by signal|reset|refused/);
    const steps = page.locator('.timeline.chain > li');
    await waitForText(steps, 'Failover');
    await waitForText(steps.locator('.effects'), 'Promote');
    await waitForText(steps, 'done');
    await waitForText(steps, 'OpenForWrites');
    await waitForText(steps, `${NEW_SOURCE.split('/')[1]} took over`);
  } catch (e) {
    console.log(`${page.url()}\n${await page.locator('body').innerText()}`);
    throw e;
  }
  if (SCREENSHOTS) await page.screenshot({ path: join(SCREENSHOTS, 'failover.png'), fullPage: true });
  assert.deepEqual(complaints, []);
});
