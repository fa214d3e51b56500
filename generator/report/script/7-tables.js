
const CLASS_WORDS = { allowed: 'allowed', some: 'some arguments', eperm: 'EPERM', enosys: 'ENOSYS', other: 'refused' };

/** A search field over the rows of the table that follows it, and for system calls a button for each class. */
function startFilter(place) {
  const table = place.parentElement.querySelector('table');
  const rows = [...table.tBodies[0].rows];
  const search = make('input', { type: 'search', 'aria-label': `Search ${place.dataset.filter}`, placeholder: 'Search: words, all of them', spellcheck: 'false', autocomplete: 'off' });
  const found = make('span', { class: 'found', role: 'status' });
  const pressed = new Set();
  let texts = null;
  const apply = () => {
    texts = texts || rows.map((row) => row.textContent.toLowerCase());
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    rows.forEach((row, i) => {
      const wanted = (pressed.size === 0 || pressed.has(row.dataset.class)) && words.every((word) => texts[i].includes(word));
      row.hidden = !wanted;
      count += wanted ? 1 : 0;
    });
    found.textContent = `${grouped(count)} of ${grouped(rows.length)}`;
  };
  const classes = [...new Set(rows.map((row) => row.dataset.class))].filter((name) => name in CLASS_WORDS);
  const buttons = classes.length < 2 ? [] : Object.keys(CLASS_WORDS).filter((name) => classes.includes(name)).map((name) => {
    const button = make('button', { type: 'button', class: `toggle ${name}`, 'aria-pressed': 'false' }, CLASS_WORDS[name]);
    button.addEventListener('click', () => {
      if (!pressed.delete(name)) pressed.add(name);
      button.setAttribute('aria-pressed', String(pressed.has(name)));
      apply();
    });
    return button;
  });
  afterTyping(search, apply);
  place.append(make('div', { class: 'bar-of-filters' }, search, ...buttons, found));
  place.hidden = false;
}

/** A list of the comparison: all of its lines, searchable, those in sight rendered. */
function startList(details, lines) {
  const list = details.querySelector('.lines');
  if (lines.length <= list.children.length && lines.length < 12) return;
  const kMostShown = 500;
  const search = make('input', { type: 'search', 'aria-label': 'Search differences', placeholder: 'Search: words, all of them', spellcheck: 'false', autocomplete: 'off' });
  const found = make('span', { class: 'found', role: 'status' });
  const lower = lines.map((line) => line.toLowerCase());
  const apply = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = lines.filter((_, i) => words.every((word) => lower[i].includes(word)));
    list.replaceChildren(...wanted.slice(0, kMostShown).map((line) => make('li', {}, make('code', {}, ...marked(line, words)))));
    found.textContent = wanted.length > kMostShown ? `the first ${kMostShown} of ${grouped(wanted.length)}` : `${grouped(wanted.length)} of ${grouped(lines.length)}`;
  };
  details.querySelector('.rest')?.remove();
  list.setAttribute('tabindex', '0');
  list.before(make('div', { class: 'bar-of-filters' }, search, found));
  afterTyping(search, apply);
  apply();
}
