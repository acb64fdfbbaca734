'use strict';
// Tools over the pictures, sorting and filtering. Without this script the page shows everything, side by side.
(() => {
  const root = document.documentElement;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // Controls do nothing without this script, so nobody else shows them.
  all('.scripted').forEach(element => { element.hidden = false; });

  // How all pictures are shown.
  const tools = document.getElementById('tools');
  const choose = () => {
    root.dataset.mode = tools.elements.mode.value;
    if (tools.elements.colour) root.dataset.colour = tools.elements.colour.value;
    for (const name of ['outlines', 'score']) {
      const box = document.getElementById('show-' + name);
      root.dataset[name] = box && box.checked ? 'on' : 'off';
    }
  };
  if (tools) {
    tools.addEventListener('change', choose);
    choose();
  }

  // Lengths as the page has them: the longest round one of at most so many metres, and one in words.
  const round = longest => {
    const decade = 10 ** Math.floor(Math.log10(longest) + 1e-9);
    return [5, 2, 1].map(n => n * decade).find(length => length <= longest * (1 + 1e-9)) ?? decade;
  };
  const metres = m => m >= 10000 ? +(m / 1000).toFixed(1) + ' km' : (m >= 10 ? Math.round(m) : +m.toFixed(2)) + ' m';

  // A viewer: both pictures show the same part of the ground.
  const MOST_ZOOM = 32;
  for (const viewer of all('.viewer')) {
    const pictures = all('svg.picture', viewer);
    const marks = all('.pin, .tag', viewer);
    const swipe = viewer.querySelector('.swipe');
    const bars = all('.rule-bar', viewer);
    const pixel = Number(viewer.dataset.pixel);
    const [extent, length] = ['.extent', '.bar-length'].map(part => viewer.nextElementSibling?.querySelector(part));
    const [left, top, width, height] = pictures[0].getAttribute('viewBox').split(' ').map(Number);
    let zoom = 1;
    let middle = [left + width / 2, top + height / 2];

    const show = () => {
      const [w, h] = [width / zoom, height / zoom];
      const keep = (centre, from, whole, part) =>
        Math.min(Math.max(centre, from + part / 2), from + whole - part / 2);
      middle = [keep(middle[0], left, width, w), keep(middle[1], top, height, h)];
      const [x, y] = [middle[0] - w / 2, middle[1] - h / 2];
      pictures.forEach(picture => picture.setAttribute('viewBox', [x, y, w, h].join(' ')));
      for (const mark of marks) {
        mark.setAttribute('x', 100 * (mark.dataset.x - x) / w + '%');
        mark.setAttribute('y', 100 * (mark.dataset.y - y) / h + '%');
      }
      // The bar stays in the picture, as long as a round length is there, and the caption tells of what is seen.
      const long = round(w * pixel / 3);
      const [margin, thick] = [Math.min(w, h) / 25, w / 80];
      const place = { x: x + margin, y: y + h - margin - thick, width: long / pixel, height: thick };
      for (const bar of bars) for (const [name, value] of Object.entries(place)) bar.setAttribute(name, value);
      if (extent) extent.textContent = metres(w * pixel) + ' × ' + metres(h * pixel);
      if (length) length.textContent = metres(long);
      viewer.classList.toggle('zoomed', zoom > 1);
    };
    const scale = factor => { zoom = Math.min(Math.max(zoom * factor, 1), MOST_ZOOM); show(); };
    const move = (x, y) => { middle = [middle[0] + x * width / zoom, middle[1] + y * height / zoom]; show(); };
    const whole = () => { zoom = 1; show(); };
    const flip = () => viewer.classList.toggle('flipped');
    const slide = () => viewer.style.setProperty('--swipe', swipe.value + '%');

    swipe.addEventListener('input', slide);
    viewer.querySelector('.flip').addEventListener('click', flip);
    viewer.querySelector('.zoom-in').addEventListener('click', () => scale(2));
    viewer.querySelector('.zoom-out').addEventListener('click', () => scale(0.5));
    viewer.querySelector('.zoom-reset').addEventListener('click', whole);
    viewer.addEventListener('keydown', event => {
      if (event.target !== viewer || event.ctrlKey || event.metaKey || event.altKey) return;
      const act = {
        '+': () => scale(2), '=': () => scale(2), '-': () => scale(0.5), '0': whole, f: flip,
        ArrowLeft: () => move(-0.2, 0), ArrowRight: () => move(0.2, 0),
        ArrowUp: () => move(0, -0.2), ArrowDown: () => move(0, 0.2),
      }[event.key];
      // Arrows scroll the page while there is nothing to move.
      if (!act || (event.key.startsWith('Arrow') && zoom === 1)) return;
      act();
      event.preventDefault();
    });

    for (const stage of all('.stage', viewer)) {
      // Dragging moves the edge between the dates, or the ground when it is zoomed.
      let last = null;
      const drag = event => {
        const box = stage.getBoundingClientRect();
        if (root.dataset.mode === 'swipe') {
          swipe.value = 100 * (event.clientX - box.left) / box.width;
          slide();
        } else if (zoom > 1) {
          move((last[0] - event.clientX) / box.width, (last[1] - event.clientY) / box.height);
        }
        last = [event.clientX, event.clientY];
      };
      stage.addEventListener('pointerdown', event => {
        if (event.button !== 0 || event.target.closest('.pin')) return;
        last = [event.clientX, event.clientY];
        stage.setPointerCapture(event.pointerId);
        drag(event);
      });
      stage.addEventListener('pointermove', event => { if (last) drag(event); });
      for (const end of ['pointerup', 'pointercancel']) stage.addEventListener(end, () => { last = null; });
      // Pinching a touchpad arrives as a wheel with ctrl; a bare wheel scrolls the page.
      stage.addEventListener('wheel', event => {
        if (!event.ctrlKey) return;
        event.preventDefault();
        scale(event.deltaY < 0 ? 1.25 : 0.8);
      }, { passive: false });
    }
    marks.forEach(mark => mark.dataset.number && mark.addEventListener('click', () => {
      location.hash = 'a' + mark.dataset.number;
    }));
  }

  // A site on the map of a run leads to its row.
  all('.dot').forEach(dot => dot.addEventListener('click', () => { location.hash = dot.dataset.row; }));

  // Sorting by a column: numbers by value, words by the alphabet; the same again turns it round.
  const words = new Intl.Collator('en', { numeric: true });
  const compare = (a, b) => (a !== '' && b !== '' && !isNaN(a) && !isNaN(b)) ? a - b : words.compare(a, b);
  for (const button of all('button.sort')) {
    button.addEventListener('click', () => {
      const head = button.closest('th');
      const table = head.closest('table');
      const down = head.getAttribute('aria-sort') === 'ascending';
      all('th[aria-sort]', table).forEach(other => other.setAttribute('aria-sort', 'none'));
      head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
      const value = row => row.cells[head.cellIndex].dataset.value ?? row.cells[head.cellIndex].textContent.trim();
      const rows = [...table.tBodies[0].rows].sort((a, b) => compare(value(a), value(b)) * (down ? -1 : 1));
      table.tBodies[0].append(...rows);
    });
  }

  // Which anomalies are shown: in the table, as cards, on the map.
  const filter = document.getElementById('filter');
  if (filter) {
    const text = document.getElementById('filter-text');
    const status = document.getElementById('filter-status');
    const rows = all('#anomaly-table tbody tr');
    const apply = () => {
      const wanted = text.value.trim().toLowerCase();
      const verdicts = all('.filter-verdict:checked').map(box => box.value);
      let shown = 0;
      for (const row of rows) {
        const card = document.getElementById('a' + row.dataset.number);
        const fits = verdicts.includes(row.dataset.verdict)
          && (wanted === '' || (row.textContent + card.textContent).toLowerCase().includes(wanted));
        row.hidden = card.hidden = !fits;
        all('.pin[data-number="' + row.dataset.number + '"]').forEach(pin => pin.classList.toggle('hidden', !fits));
        shown += fits;
      }
      status.textContent = status.dataset.text.replace('{shown}', shown).replace('{all}', rows.length);
    };
    filter.addEventListener('input', apply);
    filter.addEventListener('submit', event => event.preventDefault());
    apply();
  }
})();
