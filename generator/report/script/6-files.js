
/** The interactive part of a subject's files: search, filters, tree, treemap, and what is known of one path. */
function startFiles(place, files, letter) {
  const forest = makeForest(files);
  const rows = new TreeRows(forest);
  const about = make('div', { class: 'about', 'aria-live': 'polite' });
  const tree = new Tree(rows, `Files of ${letter}`, (node) => tell(node));
  const treemap = new Treemap(rows, (node) => {
    tree.show(node);
    tree.select(node);
  });
  const search = make('input', { type: 'search', 'aria-label': 'Search paths', placeholder: 'Search paths: words, all of them', spellcheck: 'false', autocomplete: 'off' });
  const pressed = new Set();
  const kinds = KINDS.map(([name, word], i) => {
    const button = make('button', { type: 'button', class: `toggle ${name}`, 'aria-pressed': 'false' }, word);
    button.addEventListener('click', () => {
      if (!pressed.delete(i)) pressed.add(i);
      button.setAttribute('aria-pressed', String(pressed.has(i)));
      apply();
    });
    return button;
  });
  const choice = (label, options) => make('select', { 'aria-label': label }, ...options.map(([value, text]) => make('option', { value }, text)));
  const phase = choice('Phase', [['0', 'any phase'], ['1', 'in the start'], ['2', 'while serving'], ['3', 'only while serving']]);
  const programs = [...new Set(files.programs_of.flat())].sort();
  const program = choice('Program', [['', 'any program'], ...programs.map((name) => [name, name])]);
  const accesses = [...new Set(files.accesses.flatMap((words) => words.split(' ')))].filter(Boolean).sort();
  const access = choice('Access', [['', 'any access'], ...accesses.map((name) => [name, name])]);
  const found = make('span', { class: 'found', role: 'status' });
  const fold = make('button', { type: 'button' }, 'Fold all');

  function apply() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const lower = words.length > 0 ? forest.lowerPaths() : null;
    const phases = Number(phase.value);
    const by = program.value === '' ? null : files.programs_of.map((names) => names.includes(program.value));
    const with_access = access.value === '' ? null : files.accesses.map((list) => list.split(' ').includes(access.value));
    const any = words.length > 0 || pressed.size > 0 || phases !== 0 || by !== null || with_access !== null;
    rows.filter((i) => (pressed.size === 0 || pressed.has(files.kind[i])) &&
      (phases === 0 || (phases === 3 ? files.phases[i] === 2 : (files.phases[i] & phases) !== 0)) &&
      (by === null || by[files.by[i]]) && (with_access === null || with_access[files.access[i]]) &&
      words.every((word) => lower[i].includes(word)), any);
    if (!any) {
      rows.open.fill(0);
      rows.openFirst();
    }
    tree.words = words;
    tree.active = 0;
    tree.box.scrollTop = 0;
    tree.refresh();
    treemap.go(-1);
    found.textContent = any ? `${grouped(rows.total)} of ${grouped(total)} paths` : `${grouped(total)} paths`;
  }

  function tell(node) {
    if (files.kind[node] === NO_KIND) {
      about.replaceChildren(make('h3', {}, make('code', {}, forest.path(node))), make('p', { class: 'muted' }, `A directory on the way to ${grouped(rows.below[node])} paths.`));
      return;
    }
    const [name, word] = KINDS[files.kind[node]];
    const facts = [
      ['class', files.classes[files.class[node]]],
      ['accesses', files.accesses[files.access[node]]],
      ['seen', `${grouped(files.count[node])} times, first after ${grouped(files.first[node])} ms`],
      ['phase', ['', 'start', 'serve', 'start, serve'][files.phases[node]]],
      ['SELinux type', files.type[node] < 0 ? '' : files.types[files.type[node]]],
      ['look-ups failed', forest.more.get(node)?.failures || ''],
      ['ioctl requests', forest.more.get(node)?.ioctls || ''],
      ['by', files.programs_of[files.by[node]].join(', ')],
    ].filter(([, value]) => value);
    about.replaceChildren(make('h3', {}, make('code', {}, forest.path(node))), make('p', {}, make('span', { class: `chip ${name}` }, word)),
      make('dl', {}, ...facts.flatMap(([term, value]) => [make('dt', {}, term), make('dd', {}, value)])));
  }

  afterTyping(search, apply);
  for (const select of [phase, program, access]) select.addEventListener('change', apply);
  fold.addEventListener('click', () => {
    rows.foldAll();
    tree.active = 0;
    tree.box.scrollTop = 0;
    tree.refresh();
  });
  const total = rows.total;
  about.append(make('p', { class: 'muted' }, 'Choose a path to see what was done to it. In the tree: arrow keys move and fold, Enter chooses.'));
  place.append(
    make('div', { class: 'bar-of-filters' }, search, found),
    make('div', { class: 'bar-of-filters', role: 'group', 'aria-label': 'Filters' }, ...kinds, phase, access, ...(programs.length > 1 ? [program] : []), fold),
    make('div', { class: 'split' }, tree.box, make('div', { class: 'beside' }, treemap.box, about)));
  place.hidden = false;
  apply();
}
