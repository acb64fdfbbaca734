// The tables: sorted by any column, filtered by words and verdicts, and what is filtered out is gone everywhere.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { after, test } from 'node:test';
import { anomalies, crowded, launch, pages, visit } from './browser.mjs';

const browser = await launch();
after(() => browser.close());

/** Cells of the rows, in order: what is sorted by, or else what is read. */
const cells = (page, table) =>
  page.locator(`${table} tbody tr`).evaluateAll((rows) => rows.map((row) => [...row.cells].map((cell) => cell.dataset.value ?? cell.innerText.trim())));

/** Rows of equal value stand together, and numbers rise. */
function assertSorted(column, name) {
  const groups = column.filter((value, i) => i === 0 || value !== column[i - 1]);
  assert.equal(new Set(groups).size, groups.length, `${name}: equal values together: ${column}`);
  const numbers = column.map(Number);
  if (numbers.every(Number.isFinite)) assert.deepEqual(numbers, [...numbers].sort((a, b) => a - b), name);
}

for (const [name, path, table] of [['anomalies', crowded, '#anomaly-table'], ['sites', pages.index, '#site-table']]) {
  test(`sort: ${name}`, () =>
    visit(browser, path, {}, async (page) => {
      const first = await cells(page, table);
      assert.ok(first.length > 2);
      const headers = page.locator(`${table} th[aria-sort]`);
      assert.ok(await headers.count() >= 3);
      let moved = false;
      for (let i = 0; i < await headers.count(); i++) {
        const header = headers.nth(i);
        const column = await header.evaluate((cell) => cell.cellIndex);
        const title = await header.innerText();
        const orders = {};
        for (let click = 0; click < 2; click++) {
          await header.locator('button.sort').click();
          const rows = await cells(page, table);
          orders[await header.getAttribute('aria-sort')] = rows.map((row) => row[column]);
          assert.deepEqual(rows.map(String).sort(), first.map(String).sort(), 'the same rows');
          moved ||= String(rows) !== String(first);
          const others = await headers.evaluateAll((all) => all.map((each) => each.getAttribute('aria-sort')).filter((state) => state !== 'none').length);
          assert.equal(others, 1, 'one column at a time says that it is sorted by');
        }
        assert.deepEqual(Object.keys(orders).sort(), ['ascending', 'descending'], title);
        assertSorted(orders.ascending, title);
        assertSorted([...orders.descending].reverse(), title);
      }
      assert.ok(moved, 'some column changes the order');
    }));
}

/** Numbers of the anomalies that are shown: in the table, as cards, and as pins on either picture of the map. */
const shown = (page) =>
  page.evaluate(() => {
    const visible = (selector, number) => [...document.querySelectorAll(selector)].filter((each) => each.checkVisibility({ checkVisibilityCSS: true })).map(number);
    const sorted = (numbers) => [...new Set(numbers)].sort((a, b) => a - b);
    return {
      rows: sorted(visible('#anomaly-table tbody tr', (row) => Number(row.querySelector('a[href^="#a"]').hash.slice(2)))),
      cards: sorted(visible('article.card', (card) => Number(card.id.slice(1)))),
      pins: sorted(visible('#map .pin', (pin) => Number(pin.textContent.trim()))),
    };
  });

/** Number, verdict, and all that is said of each anomaly. */
const all = (page) => page.locator('#anomaly-table tbody tr').evaluateAll((rows) => rows.map((row) => {
    const number = Number(row.querySelector('a').hash.slice(2));
    return [number, row.dataset.verdict, `${row.innerText} ${document.getElementById(`a${number}`).innerText}`];
  }));
const everywhere = (numbers) => ({ rows: numbers, cards: numbers, pins: numbers });
const counts = async (page) => (await page.locator('#filter-status').innerText()).match(/\d+/g).map(Number);

test('filter by verdict', () =>
  visit(browser, pages.every, {}, async (page) => {
    const rows = await all(page);
    assert.equal(rows.length, anomalies(pages.every).length);
    const numbers = rows.map(([number]) => number).sort((a, b) => a - b);
    assert.deepEqual(await shown(page), everywhere(numbers));
    const verdicts = new Set(rows.map(([, verdict]) => verdict));
    assert.ok(verdicts.size > 1);
    for (const verdict of verdicts) {
      const box = page.locator(`.filter-verdict[value="${verdict}"]`);
      await box.uncheck();
      const left = rows.filter(([, each]) => each !== verdict).map(([number]) => number).sort((a, b) => a - b);
      assert.deepEqual(await shown(page), everywhere(left));
      assert.deepEqual(await counts(page), [left.length, rows.length]);
      await box.check();
    }
    assert.deepEqual(await shown(page), everywhere(numbers));
  }));

test('filter by words', () =>
  visit(browser, pages.every, {}, async (page) => {
    const rows = await all(page);
    // A word that is said of one anomaly alone.
    const words = rows.flatMap(([number, , text]) => text.split(/\s+/).map((word) => [number, word]));
    const [number, word] = words.find(([own, word]) => word.length > 3 && rows.every(([other, , text]) => other === own || !text.toLowerCase().includes(word.toLowerCase())));
    await page.locator('#filter-text').fill(word.toUpperCase());
    assert.deepEqual(await shown(page), everywhere([number]));
    assert.deepEqual(await counts(page), [1, rows.length]);
    await page.locator('#filter-text').fill('nothing has this');
    assert.deepEqual(await shown(page), everywhere([]));
    assert.equal((await counts(page))[0], 0);
    await page.locator('#filter-text').fill('');
    assert.equal((await shown(page)).rows.length, rows.length);
  }));

/** Waits until the page shows a place of its own: a click returns before the browser has gone there. */
const arrived = (page, id) => page.locator(`#${id}:target`).waitFor();

test('cards lead to the next and the previous one, and rows to their cards', () =>
  visit(browser, pages.every, {}, async (page) => {
    await page.locator('#anomaly-table tbody a[href="#a1"]').first().click();
    await arrived(page, 'a1');
    await page.locator('#a1 a[href="#a2"]').click();
    await arrived(page, 'a2');
    await page.locator('#a2 a[href="#a1"]').click();
    await arrived(page, 'a1');
  }));

test('the index page leads to every site, from its table, and from its map to the table', () =>
  visit(browser, pages.index, {}, async (page) => {
    const links = await page.locator('#site-table tbody th a[href]').evaluateAll((all) => all.map((each) => each.href));
    assert.equal(new Set(links).size, 3);
    for (const link of links) assert.ok(existsSync(fileURLToPath(link)), link);
    const dots = page.locator('#site-map .dot');
    assert.equal(await dots.count(), 3);
    const rows = new Set();
    for (const dot of await dots.all()) {
      await dot.click({ force: true });
      await arrived(page, await dot.getAttribute('data-row'));
      rows.add(await page.locator('#site-table tbody tr:target a').evaluate((link) => link.href));
    }
    assert.deepEqual([...rows].sort(), links.sort());
  }));
