// A page keeps to itself: it asks for nothing, runs nothing but its own script, and shows hostile texts as texts.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { launch, pages, record, visit } from './browser.mjs';

const browser = await launch();
after(() => browser.close());

for (const [name, path] of Object.entries(pages)) {
  test(`policy: ${name}`, () =>
    visit(browser, path, {}, async (page) => {
      const policy = await page.locator('meta[http-equiv="Content-Security-Policy"]').getAttribute('content');
      const directives = Object.fromEntries(policy.split(';').map((each) => each.trim().split(/\s+/)).map(([key, ...values]) => [key, values]));
      assert.deepEqual(directives['default-src'], ["'none'"]);
      assert.deepEqual(directives['base-uri'], ["'none'"]);
      assert.deepEqual(directives['form-action'], ["'none'"]);
      const allowed = Object.values(directives).flat().filter((source) => !/^('none'|data:|'sha(256|384|512)-[A-Za-z0-9+/]+=*')$/.test(source));
      assert.deepEqual(allowed, [], 'only what the page holds itself');
      assert.deepEqual((directives['script-src'] ?? []).filter((source) => source === 'data:'), []);
      const html = readFileSync(path, 'utf8');
      assert.ok(html.indexOf('Content-Security-Policy') < html.search(/<(style|script|link|img|svg|body)/), 'the policy comes first');
    }));

  test(`asks for nothing, and nothing is said on the console: ${name}`, () =>
    visit(browser, path, {}, async (page) => {
      await page.mouse.wheel(0, 100_000);
      await page.waitForLoadState('networkidle');
      const addresses = await page.evaluate(() => performance.getEntriesByType('resource').map((entry) => entry.name));
      assert.deepEqual(addresses.filter((address) => !address.startsWith('data:')), []);
    }));
}

test('what gets into a page does not run, and is not fetched', async () => {
  const stopped = await browser.newPage();
  await stopped.goto(`file://${pages.hostile}`);
  const blocked = await stopped.evaluate(async () => {
    const directives = [];
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => directives.push(effectiveDirective));
    const add = (name, attributes) => document.body.append(Object.assign(document.createElement(name), attributes));
    add('script', { textContent: 'window.broken = true' });
    add('img', { src: 'http://127.0.0.1:9/x.png' });
    add('iframe', { src: 'http://127.0.0.1:9/' });
    document.body.setAttribute('onclick', 'window.broken = true');
    document.body.click();
    document.body.setAttribute('style', 'color: red');
    await fetch('http://127.0.0.1:9/').catch(() => {});
    await new Promise((done) => setTimeout(done, 200));
    return { broken: window.broken === true, directives: directives.sort() };
  });
  await stopped.close();
  assert.deepEqual(blocked, {
    broken: false,
    directives: ['connect-src', 'frame-src', 'img-src', 'script-src-attr', 'script-src-elem', 'style-src-attr'],
  });
});

test('hostile texts are shown as texts', () =>
  visit(browser, pages.hostile, {}, async (page) => {
    const { site, activities } = record(pages.hostile);
    assert.equal(site.name, '<script>alert(1)</script>');
    assert.equal((await page.locator('h1').innerText()).trim(), site.name);
    assert.ok((await page.title()).includes(site.name));
    const text = await page.locator('body').innerText();
    for (const { id } of activities) assert.ok(text.includes(id), id);
    assert.ok(text.includes('</title><script>alert(1)</script>'), 'the zone');
    const strangers = await page.evaluate(() => ({
      handlers: [...document.querySelectorAll('*')].filter((element) => [...element.attributes].some(({ name }) => name.startsWith('on'))).length,
      scripts: document.scripts.length,
      pictures: document.querySelectorAll('img[src="x"]').length,
    }));
    assert.deepEqual(strangers, { handlers: 0, scripts: 1, pictures: 0 });
  }));

test('hostile names are shown as texts on the index page', () =>
  visit(browser, pages['hostile-index'], {}, async (page) => {
    assert.ok((await page.locator('#site-table').innerText()).includes('<script>alert(1)</script>'));
  }));
