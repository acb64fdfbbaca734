// The pictures of both dates: beside each other, swipe, flicker, zoom, colours, score and outlines.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { launch, pages, seen, shoot, style, viewBox, visit } from './browser.mjs';

const browser = await launch();
after(() => browser.close());

const optical = pages['south-garrison'];

/** The first card's viewer, and the parts of it that are looked at. */
function parts(page, within = '#a1') {
  const viewer = page.locator(`${within} .viewer`);
  const picture = (date) => viewer.locator(`figure.${date} svg.picture`);
  return { viewer, before: picture('before'), after: picture('after'), figure: viewer.locator('figure.after'), slider: viewer.locator('input.swipe') };
}

/** How far two pictures lie from each other, pixels across and down. */
async function apart({ before, after }) {
  const [a, b] = [await before.boundingBox(), await after.boundingBox()];
  return [b.x - a.x, b.y - a.y];
}

/** What is over the picture at a part of its width: `before` or `after`, whose picture lies there on top. */
const onTop = async ({ viewer, before }, part) => {
  await before.scrollIntoViewIfNeeded();
  const { x, y, width, height } = await before.boundingBox();
  return viewer.evaluate(
    (element, [left, top]) => {
      const figures = document.elementsFromPoint(left, top).map((each) => each.closest('figure')).filter((figure) => figure && element.contains(figure));
      return figures[0]?.className;
    },
    [x + part * width, y + height / 2],
  );
};

for (const within of ['#map', '#a1']) {
  test(`beside each other: ${within}`, () =>
    visit(browser, optical, {}, async (page) => {
      const it = parts(page, within);
      assert.ok(await page.locator('#mode-beside').isChecked());
      const { width } = await it.before.boundingBox();
      const [across, down] = await apart(it);
      assert.ok(across >= width && Math.abs(down) < 1, `${across}, ${down}`);
      assert.ok(await seen(it.before) && await seen(it.after));
      assert.ok(!(await it.slider.isVisible()), 'no slider');
    }));

  test(`swipe: ${within}`, () =>
    visit(browser, optical, {}, async (page) => {
      const it = parts(page, within);
      await page.locator('#mode-swipe').check();
      assert.deepEqual((await apart(it)).map(Math.round), [0, 0]);
      assert.ok(await it.slider.isVisible());
      assert.notEqual(await onTop(it, 0.1), await onTop(it, 0.9), 'both dates show before the slider is touched');
      const clips = new Set();
      for (const [at, left, right] of [[20, 'before', 'after'], [80, 'after', 'before']]) {
        await it.slider.fill(String(at));
        clips.add(await style(it.figure, 'clipPath'));
        // At 20 and at 80 the middle is of different dates, and either edge stays what it is.
        assert.notEqual(await onTop(it, 0.1), await onTop(it, 0.9), `both dates show at ${at}`);
        if (at === 20) clips.middle = await onTop(it, 0.5);
        else assert.notEqual(await onTop(it, 0.5), clips.middle, 'the edge passed the middle');
      }
      assert.equal(clips.size, 2);
      assert.ok(!clips.has('none'));
      await shoot(page, `swipe-${within.slice(1)}`);
    }));
}

test('swipe by keyboard', () =>
  visit(browser, optical, {}, async (page) => {
    const it = parts(page);
    await page.locator('#mode-swipe').check();
    await it.slider.focus();
    const before = await style(it.figure, 'clipPath');
    for (let i = 0; i < 10; i++) await page.keyboard.press('ArrowRight');
    assert.notEqual(await style(it.figure, 'clipPath'), before);
  }));

/** What a figure's animations say, and whether it is seen at some of their times: no clock of ours is in it. */
const flickering = (figure, times) =>
  figure.evaluate((element, times) =>
    element.getAnimations().map((animation) => {
      animation.pause();
      const { duration, iterations } = animation.effect.getComputedTiming();
      const seen = times.map((time) => {
        animation.currentTime = time;
        return getComputedStyle(element).visibility === 'visible';
      });
      return { duration, iterations, seen };
    }), times);

test('flicker: about once a second', () =>
  visit(browser, optical, {}, async (page) => {
    const it = parts(page);
    await page.locator('#mode-flicker').check();
    assert.deepEqual((await apart(it)).map(Math.round), [0, 0]);
    // Two dates in two seconds, for ever. WCAG 2.3.1: never more than three flashes a second.
    assert.deepEqual(await flickering(it.figure, [100, 900, 1100, 1900, 2100]), [
      { duration: 2000, iterations: Infinity, seen: [true, true, false, false, true] },
    ]);
    assert.ok(await seen(it.before), 'the date before stays below');
  }));

test('flicker: with reduced motion it waits for the key', () =>
  visit(browser, optical, { reducedMotion: 'reduce' }, async (page) => {
    const it = parts(page);
    await page.locator('#mode-flicker').check();
    assert.deepEqual(await flickering(it.figure, [0]), []);
    const first = await seen(it.figure);
    await it.viewer.focus();
    await page.keyboard.press('f');
    assert.notEqual(await seen(it.figure), first);
    await page.keyboard.press('f');
    assert.equal(await seen(it.figure), first);
  }));

for (const within of ['#map', '#a1']) {
  test(`zoom by button: ${within}`, () =>
    visit(browser, optical, {}, async (page) => {
      const it = parts(page, within);
      const boxes = async () => [await viewBox(it.before), await viewBox(it.after)];
      const [whole, other] = await boxes();
      assert.deepEqual(whole, other);
      await it.viewer.locator('.zoom-in').click();
      const [near, same] = await boxes();
      assert.deepEqual(near, same, 'both dates alike');
      assert.ok(near[2] < whole[2] && Math.abs(near[2] / near[3] - whole[2] / whole[3]) < 1e-3, `${near} in ${whole}`);
      await it.viewer.locator('.zoom-in').click();
      assert.ok((await viewBox(it.before))[2] < near[2]);
      await it.viewer.locator('.zoom-out').click();
      assert.ok(Math.abs((await viewBox(it.before))[2] - near[2]) < 1e-3 * near[2]);
      await it.viewer.locator('.zoom-reset').click();
      assert.deepEqual(await boxes(), [whole, whole]);
    }));
}

for (const within of ['#map', '#a1']) {
  test(`scale bar and caption when zoomed: ${within}`, () =>
    visit(browser, optical, {}, async (page) => {
      const { viewer, before } = parts(page, within);
      const caption = viewer.locator('xpath=following-sibling::p[1]');
      const told = async () => [await caption.locator('.extent').innerText(), await caption.locator('.bar-length').innerText()];
      const bars = () => viewer.locator('.rule-bar').evaluateAll((bars) => bars.map((bar) => ['x', 'y', 'width', 'height'].map((name) => Number(bar.getAttribute(name)))));
      const [first, placed] = [await told(), await bars()];
      await viewer.locator('.zoom-in').click();
      await viewer.locator('.zoom-in').click();
      const [left, top, width, height] = await viewBox(before);
      for (const [x, y, w, h] of await bars()) {
        assert.ok(x > left && y > top && x + w < left + width && y + h < top + height, `${[x, y, w, h]} in ${[left, top, width, height]}`);
        assert.ok(w > width / 8 && w <= width / 3 + 1e-9, 'as long as a round length is');
      }
      const [extent, bar] = (await told()).map((text) => Number.parseFloat(text));
      const shown = (await bars())[0][2] / width;
      assert.ok(Math.abs(bar / extent - shown) < 0.02 * shown, `${bar} of ${extent} m is ${shown}`);
      assert.ok(Math.abs(4 * extent - Number.parseFloat(first[0])) < 4, `${extent} of ${first[0]}`);
      await shoot(page, `zoomed-${within.slice(1)}`);
      await viewer.locator('.zoom-reset').click();
      assert.deepEqual(await told(), first);
      const again = (await bars()).flat();
      assert.ok(placed.flat().every((value, i) => Math.abs(value - again[i]) < 1e-3), `${placed} ${again}`);
    }));
}

test('zoom and pan by keyboard, on the viewer with the focus alone', () =>
  visit(browser, pages.every, { reducedMotion: 'reduce' }, async (page) => {
    const it = parts(page);
    const other = parts(page, '#a2');
    const whole = await viewBox(it.before);
    const untouched = await viewBox(other.before);
    await it.viewer.focus();
    await page.keyboard.press('+');
    const near = await viewBox(it.before);
    assert.ok(near[2] < whole[2]);
    for (const [key, axis, sign] of [['ArrowRight', 0, 1], ['ArrowLeft', 0, -1], ['ArrowDown', 1, 1], ['ArrowUp', 1, -1]]) {
      const from = await viewBox(it.before);
      const top = await page.evaluate(() => scrollY);
      await page.keyboard.press(key);
      const to = await viewBox(it.before);
      assert.ok(sign * (to[axis] - from[axis]) > 0, `${key}: ${from} to ${to}`);
      assert.equal(to[1 - axis], from[1 - axis]);
      assert.deepEqual(await viewBox(it.after), to);
      assert.equal(await page.evaluate(() => scrollY), top, 'the page stays where it is');
    }
    await page.keyboard.press('-');
    assert.deepEqual((await viewBox(it.before)).map(Math.round), whole.map(Math.round));
    await page.keyboard.press('+');
    await page.keyboard.press('0');
    assert.deepEqual(await viewBox(it.before), whole);
    assert.deepEqual(await viewBox(other.before), untouched);
  }));

/** Which renditions are shown, of all there are. */
const shown = (page) =>
  page.evaluate(() => {
    const images = [...document.querySelectorAll('.viewer svg.picture image:not(.score)')];
    return [...new Set(images.filter((image) => getComputedStyle(image).display !== 'none').map((image) => image.classList[0]))];
  });

test('colours: natural, false, NDVI', () =>
  visit(browser, optical, {}, async (page) => {
    assert.ok(await page.locator('#colour-natural').isChecked());
    for (const colour of ['natural', 'false', 'ndvi']) {
      await page.locator(`#colour-${colour}`).check();
      assert.deepEqual(await shown(page), [colour]);
      await shoot(page, `colour-${colour}`);
    }
  }));

test('colours: radar is grey', () =>
  visit(browser, pages.hostile, {}, async (page) => {
    assert.equal(await page.locator('#colour-natural').count(), 0);
    assert.deepEqual(await shown(page), ['grey']);
  }));

test('the score lies over the pictures when asked for', () =>
  visit(browser, optical, {}, async (page) => {
    const displays = () => page.locator('.viewer .score').evaluateAll((all) => [...new Set(all.map((each) => getComputedStyle(each).display !== 'none'))]);
    assert.deepEqual(await displays(), [false]);
    await page.locator('#show-score').check();
    assert.deepEqual(await displays(), [true]);
    await shoot(page, 'score');
    await page.locator('#show-score').uncheck();
    assert.deepEqual(await displays(), [false]);
  }));

test('outlines can be taken away', () =>
  visit(browser, optical, {}, async (page) => {
    const visible = () => page.locator('.viewer .outline').evaluateAll((all) => [...new Set(all.map((each) => each.checkVisibility({ checkVisibilityCSS: true })))]);
    assert.deepEqual(await visible(), [true]);
    await page.locator('#show-outlines').uncheck();
    assert.deepEqual(await visible(), [false]);
  }));
