import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { join } from 'node:path';
import { startBrowser, startOperator } from './harness.mjs';

let operator;
let browser;
let page;
let complaints; // of the page, in the browser's console

const open = (hash = '#/') => page.goto(`${operator.url}/console/${hash}`);
const rows = () => page.locator('.rows [role=row]:not(.loading)');
const status = () => page.locator('.matched');
const shot = async (name) => {
  if (process.env.SCREENSHOTS) await page.screenshot({ path: join(process.env.SCREENSHOTS, `${name}.png`) });
};
const failOver = async () => {
  const response = await fetch(`${operator.url}/test/failover`, { method: 'POST' });
  assert.equal(response.status, 202);
};
const waitForText = (locator, text) => locator.filter({ hasText: text }).first().waitFor();

describe('console', { timeout: 300_000 }, () => {
  before(async () => {
    [operator, browser] = await Promise.all([startOperator(), startBrowser()]);
  });
  after(async () => {
    await browser?.stop();
    await operator?.stop();
  });
  beforeEach(async () => {
    page = await browser.context.newPage();
    complaints = [];
    page.on('console', (m) => m.type() === 'error' && complaints.push(m.text()));
    page.on('pageerror', (e) => complaints.push(String(e)));
  });
  afterEach(async () => {
    await page.close();
    assert.deepEqual(complaints, []);
  });

  test('shows a fleet of 100,000 and draws only what is in view', async () => {
    await open();
    await waitForText(status(), '100,018 actors');
    await waitForText(rows(), 'billing/ledger-0');
    assert.ok((await rows().count()) < 60);
    await shot('fleet-light');
  });

  test('paints first within a second', async () => {
    const times = [];
    for (let i = 0; i < 3; i++) {
      await open();
      await rows().first().waitFor();
      times.push(
        await page.evaluate(() => ({
          paint: performance.getEntriesByName('first-contentful-paint')[0].startTime,
          list: performance.now(),
        })),
      );
      await page.goto('about:blank');
    }
    const best = (of) => Math.round(Math.min(...times.map((t) => t[of])));
    console.log(`first paint after ${best('paint')} ms, list after ${best('list')} ms`);
    assert.ok(best('paint') < 1000); // the best of three, as the machine may be busy with others
  });

  test('scrolls to any row', async () => {
    await open();
    await waitForText(status(), '100,018');
    const list = page.locator('.rows');
    await list.evaluate((e) => (e.scrollTop = e.scrollHeight / 2));
    await waitForText(rows(), 'tenant-1999/');
    await list.focus();
    await page.keyboard.press('End');
    await waitForText(rows(), 'tenant-2999/db-9');
    await page.keyboard.press('Enter');
    await page.waitForURL(/#\/actors\/\d+/);
    await waitForText(page.locator('h1'), 'tenant-2999/db-9');
  });

  test('filters by name, kind and what is wrong, and keeps that in the address', async () => {
    await open();
    await waitForText(status(), '100,018');
    await page.keyboard.press('/');
    await page.keyboard.type('ledger');
    await waitForText(status(), '12 of 100,018');
    assert.match(page.url(), /name=ledger/);
    await page.getByRole('button', { name: 'Show all' }).click();
    await page.getByRole('button', { name: /Held back/ }).click();
    await waitForText(status(), /^\d+ of/);
    assert.equal(await page.getByRole('button', { name: /Held back/ }).getAttribute('aria-pressed'), 'true');
    await shot('fleet-filtered');
    await page.getByRole('button', { name: 'Show all' }).click();
    await page.getByLabel('Kind').selectOption('mysqlreplication');
    await waitForText(status(), '20,001 of');
    await page.reload();
    await waitForText(status(), '20,001 of');
  });

  test('sorts by a column', async () => {
    await open('#/?name=shop');
    await waitForText(status(), '5 of');
    await page.getByRole('columnheader', { name: 'Kind' }).getByRole('button').click();
    await page.locator('[aria-sort=ascending]').filter({ hasText: 'Kind' }).waitFor();
    await waitForText(rows().first(), 'mysqlreplication');
    await page.getByRole('columnheader', { name: 'Kind' }).getByRole('button').click();
    await waitForText(rows().first(), 'unitset');
  });

  test('leads from the dead process to the writes of the promotion', async () => {
    await open('#/?name=shop%2Forders-0');
    await rows().getByRole('link', { name: 'shop/orders-0' }).click();
    await page.locator('.live.on').waitFor();
    await failOver(); // while somebody watches: it appears by itself
    const death = page.locator('.timeline li').filter({ hasText: 'process died' }).first();
    await waitForText(page.locator('.timeline li'), 'rejoining behind orders-1');
    await shot('actor-light');
    await death.locator('.causes .chain-link').click();

    await waitForText(page.locator('h1'), 'process died: mysqld of orders-0');
    const steps = page.locator('.timeline.chain > li');
    await waitForText(steps, 'nothing is missing');
    const promotion = steps.filter({ hasText: 'promoting orders-1' });
    await waitForText(promotion.locator('.effects'), 'epoch 5, writable, semi-sync');
    await waitForText(promotion.locator('.actor-link'), 'mysqlreplication');
    await waitForText(steps.locator('.cause-result ~ .text'), 'promote orders-1: done');
    const actors = new Set(await steps.locator('.actor-link a').allTextContents());
    assert.deepEqual([...actors].sort(), ['shop/orders', 'shop/orders-0', 'shop/orders-1', 'shop/orders-2']);
    assert.equal(await page.locator('.lane').count(), 4);
    await shot('chain-light');
    await page.screenshot({ path: join(process.env.SCREENSHOTS || '.', 'chain-light-full.png'), fullPage: true });

    await promotion.locator('.actor-link a').click();
    await waitForText(page.locator('h1'), 'shop/orders');
    await waitForText(page.locator('.tree'), 'semiSyncClients');
    await shot('replication-light');
  });

  test('shows what holds an actor back, with evidence and age', async () => {
    await open('#/?name=ledger-3');
    await rows().getByRole('link').first().click();
    const guard = page.locator('.now .guards li');
    await waitForText(guard, 'VolumeNotBound');
    await waitForText(guard, 'no StorageClass "fast"');
    await waitForText(guard, /for \d+ (m|s)/);
  });

  test('releases an actor from quarantine', async () => {
    await open('#/?quarantined=1');
    await rows().getByRole('link', { name: 'lab/broken' }).click();
    await waitForText(page.locator('.now'), 'ordinals up to 7');
    await shot('quarantine-light');
    await page.getByRole('button', { name: 'Release from quarantine' }).click();
    await waitForText(page.locator('.now'), 'Nothing holds it back');
    assert.equal(await page.getByRole('button', { name: 'Release from quarantine' }).count(), 0);
  });

  test('follows the system into the dark, and lets one choose', async () => {
    await page.emulateMedia({ colorScheme: 'dark' });
    await open();
    await rows().first().waitFor();
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const dark = await background();
    await shot('fleet-dark');
    await page.getByRole('button', { name: /Theme: auto/ }).click();
    assert.notEqual(await background(), dark);
    await page.reload();
    await page.getByRole('button', { name: /Theme: light/ }).waitFor();
    assert.notEqual(await background(), dark);
    await page.getByRole('button', { name: /Theme: light/ }).click();
    assert.equal(await background(), dark);
    await page.getByRole('button', { name: /Theme: dark/ }).click();
    await open('#/recent');
    await page.locator('.timeline li').first().waitFor();
    await shot('recent-dark');
    await page.locator('.timeline li').filter({ hasText: 'promoting orders-1' }).locator('.chain-link').first().click();
    await page.locator('.lane').first().waitFor();
    await shot('chain-dark');
    await open('#/?name=shop');
    await rows().getByRole('link', { name: 'shop/orders-0' }).click();
    await page.locator('.timeline li').first().waitFor();
    await shot('actor-dark');
  });

  test('says so when an actor is not there', async () => {
    await open('#/actors/4000000');
    await waitForText(page.getByRole('alert'), 'it may have ended');
    complaints = complaints.filter((c) => !c.includes('404'));
  });

  test('fits a narrow window', async () => {
    await page.setViewportSize({ width: 640, height: 900 });
    await open('#/recent');
    await page.locator('.timeline li').first().waitFor();
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(overflow <= 0, `${overflow} px too wide`);
    await shot('recent-narrow');
  });
});
