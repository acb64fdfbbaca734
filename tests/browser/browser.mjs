// Opens report pages in headless Chromium, and notes whatever a page must not do.

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const reports = resolve(process.env.REPORTS);
const screens = resolve(process.env.SCREENS);
mkdirSync(screens, { recursive: true });

/** Path of a file of a report. */
export const file = (report, name = 'report.html') => resolve(reports, report, name);

/** The pages that every check of all pages opens: one of each kind. */
export const pages = {
  index: file('demo/reports', 'index.html'),
  'north-depot': file('demo/reports/north-depot'),
  'east-range': file('demo/reports/east-range'),
  'south-garrison': file('demo/reports/south-garrison'),
  every: file('every/reports/S'),
  hostile: file('hostile/reports/hostile'),
  'hostile-index': file('hostile/reports', 'index.html'),
};
/** The page with more than 500 anomalies. */
export const crowded = file('crowded/reports/crowded');

/** The record a report page was made from. */
export const record = (page) => JSON.parse(readFileSync(resolve(page, '../report.json'), 'utf8'));
export const anomalies = (page) => record(page).comparisons.flatMap((comparison) => comparison.anomalies);

const executablePath = process.env.CHROMIUM || '/usr/bin/chromium';

/** A browser of its own for a file of tests; closed by `after(() => browser.close())`. */
export const launch = () =>
  chromium.launch({
    executablePath,
    args: ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });

/** Opens a page; `page.faults` lists requests beyond the page, messages on the console, errors, and dialogues. */
export async function open(browser, path, { width = 1280, height = 900, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, ...options });
  const page = await context.newPage();
  const address = pathToFileURL(path).href;
  page.faults = [];
  page.setDefaultTimeout(30_000);
  page.on('request', (request) => {
    const asked = request.url();
    if (asked.split('#')[0] !== address && !asked.startsWith('data:')) page.faults.push(`request: ${asked}`);
  });
  page.on('console', (message) => page.faults.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => page.faults.push(`error: ${error.message}`));
  page.on('dialog', (dialog) => {
    page.faults.push(`dialogue: ${dialog.message()}`);
    dialog.dismiss();
  });
  await page.goto(address);
  return page;
}

/** Closes the page; fails when it did what it must not do. */
export async function close(page) {
  const { faults } = page;
  await page.context().close();
  assert.deepEqual(faults, []);
}

/** Runs `use` on a page and closes it in any case. */
export async function visit(browser, path, options, use) {
  const page = await open(browser, path, options);
  try {
    await use(page);
  } catch (error) {
    await page.context().close();
    throw error;
  }
  await close(page);
}

/** Keeps a picture to be looked at. */
export const shoot = (page, name, options = {}) => page.screenshot({ path: resolve(screens, `${name}.png`), ...options });

/** Whether something of a page is there to be seen. */
export const seen = (locator) => locator.evaluate((element) => element.checkVisibility({ checkVisibilityCSS: true, checkOpacity: true }));
/** A computed style. */
export const style = (locator, property) => locator.evaluate((element, name) => getComputedStyle(element)[name], property);
/** Four numbers: what part of a picture is visible. */
export const viewBox = (svg) => svg.evaluate((element) => ['x', 'y', 'width', 'height'].map((side) => element.viewBox.baseVal[side]));
