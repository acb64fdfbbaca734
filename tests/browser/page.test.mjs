// A page as a whole: by keyboard alone, on paper, in the dark, and with 500 anomalies.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { after, test } from 'node:test';
import { anomalies, crowded, launch, pages, record, seen, shoot, style, visit } from './browser.mjs';

const browser = await launch();
after(() => browser.close());

for (const name of ['index', 'south-garrison', 'hostile']) {
  test(`the keyboard reaches everything, and shows where it is: ${name}`, () =>
    visit(browser, pages[name], { reducedMotion: 'reduce' }, async (page) => {
      // A group of radio buttons is one stop.
      const wanted = await page.evaluate(() => {
        const all = [...document.querySelectorAll('a[href], button, input, select, summary, [tabindex="0"]')];
        const stops = all.filter((each) => each.checkVisibility({ checkVisibilityCSS: true }) && !(each.type === 'radio' && !each.checked));
        window.missing = new Set(stops);
        return stops.length;
      });
      const unmarked = new Set();
      const hidden = new Set();
      for (let i = 0; i < wanted + 50; i++) {
        await page.keyboard.press('Tab');
        const at = await page.evaluate(() => {
          const element = document.activeElement;
          window.missing.delete(element);
          const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
          const { left, right, top, bottom } = element.getBoundingClientRect();
          // WCAG 2.2, 2.4.11: nothing that stays in place may lie over all of it.
          const middle = Math.min((Math.max(top, 0) + Math.min(bottom, innerHeight)) / 2, innerHeight - 1);
          const over = document.elementFromPoint((left + right) / 2, middle);
          return {
            words: element.outerHTML.slice(0, 100),
            marked: (outlineStyle !== 'none' && parseFloat(outlineWidth) > 0) || boxShadow !== 'none' || element === document.body,
            free: element === document.body || (over && (element.contains(over) || over.contains(element))),
          };
        });
        if (!at.marked) unmarked.add(at.words);
        if (!at.free) hidden.add(at.words);
      }
      assert.deepEqual(await page.evaluate(() => [...window.missing].map((each) => each.outerHTML.slice(0, 100))), [], 'not reached');
      assert.deepEqual([...unmarked], [], 'the focus cannot be seen');
      assert.deepEqual([...hidden], [], 'something lies over what has the focus');
    }));
}

/** Presses Tab until an element has the focus. */
async function tabTo(page, selector) {
  for (let i = 0; i < 300; i++) {
    await page.keyboard.press('Tab');
    if (await page.evaluate((wanted) => document.activeElement.matches(wanted), selector)) return;
  }
  assert.fail(`Tab does not reach ${selector}`);
}

test('everything can be done by keyboard', () =>
  visit(browser, pages['south-garrison'], {}, async (page) => {
    await tabTo(page, '[name=mode]');
    await page.keyboard.press('ArrowRight');
    assert.ok(await page.locator('#mode-swipe').isChecked());
    await tabTo(page, '[name=colour]');
    await page.keyboard.press('ArrowRight');
    assert.ok(await page.locator('#colour-false').isChecked());
    await tabTo(page, '#show-outlines, #show-score');
    const box = page.locator(':focus');
    const checked = await box.isChecked();
    await page.keyboard.press('Space');
    assert.notEqual(await box.isChecked(), checked);
    await tabTo(page, '#filter-text');
    await page.keyboard.type('zzzz');
    assert.ok((await page.locator('#filter-status').innerText()).includes('0'));
    for (let i = 0; i < 4; i++) await page.keyboard.press('Backspace');
    await tabTo(page, '.filter-verdict');
    await page.keyboard.press('Space');
    assert.equal(await page.locator('#anomaly-table tbody tr:visible').count() < anomalies(pages['south-garrison']).length, true);
    await page.keyboard.press('Space');
    await tabTo(page, '#anomaly-table th[aria-sort=none] button.sort');
    await page.keyboard.press('Enter');
    assert.equal(await page.locator('th:has(> :focus)').getAttribute('aria-sort') === 'none', false);
  }));

test('dark where the system is dark', async () => {
  const lightness = {};
  for (const colorScheme of ['light', 'dark']) {
    for (const name of ['index', 'south-garrison']) {
      await visit(browser, pages[name], { colorScheme }, async (page) => {
        const [r, g, b] = (await style(page.locator('body'), 'backgroundColor')).match(/[\d.]+/g).map(Number);
        lightness[`${name} ${colorScheme}`] = (r + g + b) / 3;
      });
    }
  }
  for (const name of ['index', 'south-garrison']) {
    assert.ok(lightness[`${name} light`] > 200 && lightness[`${name} dark`] < 60, JSON.stringify(lightness));
  }
});

/** The text of the page as it is printed on A4, and the number of its sheets. */
async function printed(page, name) {
  const path = `${process.env.SCREENS}/${name}.pdf`;
  await page.pdf({ path, format: 'A4', printBackground: true });
  const text = execFileSync('pdftotext', ['-layout', path, '-'], { encoding: 'utf8', maxBuffer: 1 << 28 });
  return { text, sheets: text.split('\f').length - 1 };
}

const controls = '#tools, .controls, #filter-text, .filter-verdict, nav';

test('print: every anomaly, both dates beside each other, no controls, whatever the screen showed', () =>
  visit(browser, pages['south-garrison'], { colorScheme: 'dark' }, async (page) => {
    await page.locator('#mode-swipe').check();
    const { text, sheets } = await printed(page, 'south-garrison');
    for (const { id } of anomalies(pages['south-garrison'])) assert.ok(text.includes(id), `${id} is on paper`);
    assert.ok(text.includes(record(pages['south-garrison']).site.name));
    assert.ok(sheets >= 2 && sheets < 30, `${sheets} sheets`);
    await page.emulateMedia({ media: 'print' });
    for (const control of await page.locator(controls).all()) assert.ok(!(await seen(control)), 'a control is on paper');
    for (const viewer of await page.locator('.viewer').all()) {
      const [before, after] = [viewer.locator('figure.before'), viewer.locator('figure.after')];
      assert.ok(await seen(before) && await seen(after));
      assert.equal(await style(after, 'clipPath'), 'none');
      const [a, b] = [await before.boundingBox(), await after.boundingBox()];
      assert.ok(b.x >= a.x + a.width - 1 || b.y >= a.y + a.height - 1, 'the dates lie over each other on paper');
    }
    assert.equal(await style(page.locator('body'), 'backgroundColor'), 'rgb(255, 255, 255)');
  }));

test('500 anomalies: the page is small enough, sorts, filters and prints', () =>
  visit(browser, crowded, {}, async (page) => {
    const ids = anomalies(crowded).map(({ id }) => id);
    assert.ok(ids.length >= 500, `${ids.length} anomalies`);
    const mib = statSync(crowded).size / 2 ** 20;
    assert.ok(mib < 15, `${mib} MiB`);
    assert.equal(await page.locator('#anomaly-table tbody tr').count(), ids.length);
    assert.equal(await page.locator('article.card').count(), ids.length);
    await shoot(page, 'crowded');
    await page.locator('#anomaly-table th[aria-sort=none] button.sort').first().click();
    assert.equal(await page.locator('#anomaly-table th[aria-sort=ascending]').count(), 1);
    await page.locator('#filter-text').fill('nothing has this');
    assert.equal(await page.locator('article.card:visible').count(), 0);
    for (const tool of ['#mode-swipe', '#mode-flicker', '#show-score']) await page.locator(tool).check();
    await page.locator('#filter-text').fill('');
    const { text } = await printed(page, 'crowded');
    assert.deepEqual(ids.filter((id) => !text.includes(id)), [], 'on paper');
  }));
