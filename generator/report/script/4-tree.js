
const ROW_HEIGHT = 28;

/** A tree widget (WAI-ARIA tree, active descendant) that renders only the rows in sight. */
class Tree {
  constructor(rows, label, onSelect) {
    this.rows = rows;
    this.onSelect = onSelect;
    this.active = 0;
    this.selected = -1;
    this.words = [];
    this.space = make('div', { class: 'space', role: 'presentation' });
    this.box = make('div', { class: 'tree', role: 'tree', tabindex: '0', 'aria-label': label }, this.space);
    this.prefix = 'row-' + label.replace(/[^A-Za-z0-9]+/g, '-') + '-';
    this.box.addEventListener('scroll', () => this.draw());
    this.box.addEventListener('keydown', (event) => this.onKey(event));
    this.box.addEventListener('click', (event) => this.onClick(event));
    if (window.ResizeObserver) new ResizeObserver(() => this.draw()).observe(this.box);
  }

  /** To be called when rows have changed. */
  refresh() {
    this.active = Math.min(this.active, Math.max(this.rows.rows.length - 1, 0));
    this.space.style.height = this.rows.rows.length * ROW_HEIGHT + 'px';
    this.draw();
  }

  draw() {
    const list = this.rows.rows;
    const first = Math.max(Math.floor(this.box.scrollTop / ROW_HEIGHT) - 8, 0);
    const last = Math.min(first + Math.ceil(this.box.clientHeight / ROW_HEIGHT) + 16, list.length);
    const drawn = [];
    for (let at = first; at < last; ++at) drawn.push(this.row(at));
    this.space.replaceChildren(...drawn);
    const active = this.space.querySelector('.active');
    if (active) this.box.setAttribute('aria-activedescendant', active.id);
    else this.box.removeAttribute('aria-activedescendant');
  }

  row(at) {
    const { forest, below, open, wanted } = this.rows;
    const { files, depth } = forest;
    const node = this.rows.rows[at];
    const folder = below[node] > 0;
    const kind = files.kind[node] === NO_KIND || !wanted[node] ? null : KINDS[files.kind[node]];
    const row = make('div', {
      class: 'row' + (at === this.active ? ' active' : '') + (node === this.selected ? ' selected' : ''),
      role: 'treeitem', id: this.prefix + node, 'aria-level': depth[node] + 1,
      'aria-expanded': folder ? String(Boolean(open[node])) : null, 'aria-selected': String(node === this.selected), 'data-at': at,
    },
    make('span', { class: 'fold', 'aria-hidden': 'true' }, folder ? (open[node] ? '▾' : '▸') : ''),
    make('span', { class: 'dot ' + (kind ? kind[0] : ''), 'aria-hidden': 'true' }),
    make('span', { class: 'label' }, ...marked(files.name[node], this.words)));
    if (folder) row.append(make('span', { class: 'inside-count' }, grouped(below[node])));
    else if (kind) row.append(make('span', { class: 'inside-count' }, kind[1]));
    row.style.top = at * ROW_HEIGHT + 'px';
    row.style.paddingLeft = 6 + Math.min(depth[node], 12) * 16 + 'px';
    return row;
  }

  moveTo(at) {
    this.active = Math.max(0, Math.min(at, this.rows.rows.length - 1));
    const top = this.active * ROW_HEIGHT;
    if (top < this.box.scrollTop) this.box.scrollTop = top;
    if (top + ROW_HEIGHT > this.box.scrollTop + this.box.clientHeight) this.box.scrollTop = top + ROW_HEIGHT - this.box.clientHeight;
    this.draw();
  }

  select(node) {
    this.selected = node;
    this.draw();
    this.onSelect(node);
  }

  /** Shows `node`, whatever is folded above it. */
  show(node) {
    this.rows.reveal(node);
    this.refresh();
    const at = this.rows.rows.indexOf(node);
    if (at >= 0) {
      this.box.scrollTop = Math.max(at * ROW_HEIGHT - this.box.clientHeight / 3, 0);
      this.moveTo(at);
    }
  }

  fold(node, open) {
    this.rows.setOpen(node, open);
    this.refresh();
  }

  onClick(event) {
    const row = event.target.closest('.row');
    if (!row) return;
    this.active = Number(row.dataset.at);
    const node = this.rows.rows[this.active];
    if (this.rows.below[node] > 0) this.fold(node, !this.rows.open[node]);
    this.select(node);
  }

  onKey(event) {
    const list = this.rows.rows;
    if (list.length === 0) return;
    const node = list[this.active];
    const folder = this.rows.below[node] > 0;
    const page = Math.max(Math.floor(this.box.clientHeight / ROW_HEIGHT) - 1, 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -list.length, End: list.length };
    if (event.key in steps) {
      this.moveTo(this.active + steps[event.key]);
    } else if (event.key === 'ArrowRight' && folder) {
      if (this.rows.open[node]) this.moveTo(this.active + 1);
      else this.fold(node, true);
    } else if (event.key === 'ArrowLeft') {
      if (folder && this.rows.open[node]) this.fold(node, false);
      else if (this.rows.forest.files.up[node] >= 0) this.moveTo(list.indexOf(this.rows.forest.files.up[node]));
    } else if (event.key === 'Enter' || event.key === ' ') {
      this.select(node);
    } else {
      return;
    }
    event.preventDefault();
  }
}
