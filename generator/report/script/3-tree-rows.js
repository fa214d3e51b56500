
/**
 * Which rows a folded tree shows, under a filter: `matches(node)` says whether a node itself is wanted. Folders with something wanted below
 * are shown too; with `unfold` those are open. A hundred thousand nodes are walked in some milliseconds.
 */
class TreeRows {
  constructor(forest) {
    this.forest = forest;
    this.open = new Uint8Array(forest.n);
    this.below = new Int32Array(forest.n);  // wanted nodes below
    this.wanted = new Uint8Array(forest.n);
    this.total = 0;
    this.rows = [];
    this.filter(() => true, false);
    this.openFirst();
  }

  filter(matches, unfold) {
    const { n, files } = this.forest;
    this.below.fill(0);
    this.total = 0;
    for (let i = n - 1; i >= 0; --i) {
      const is = files.kind[i] !== NO_KIND && matches(i);
      this.wanted[i] = is ? 1 : 0;
      this.total += this.wanted[i];
      const up = files.up[i];
      if (up >= 0) this.below[up] += this.below[i] + this.wanted[i];
    }
    if (unfold) {
      // Few results are all shown; of many the folders that hold them.
      const kMostUnfolded = 400;
      this.open.fill(0);
      if (this.total <= kMostUnfolded) {
        for (let i = 0; i < n; ++i) this.open[i] = this.below[i] > 0 ? 1 : 0;
      } else {
        this.openFirst();
      }
    }
    this.list();
  }

  /** Opens the root, and what has nothing beside it. */
  openFirst() {
    const kMostRows = 40;
    this.list();
    for (let grown = true; grown && this.rows.length < kMostRows;) {
      grown = false;
      for (const i of this.rows) {
        const alone = this.rows.length < 8 && this.forest.depth[i] < 6;
        if (this.below[i] > 0 && !this.open[i] && (this.forest.depth[i] === 0 || alone)) {
          this.open[i] = 1;
          grown = true;
        }
      }
      this.list();
    }
  }

  list() {
    const { n, end } = this.forest;
    const rows = [];
    for (let i = 0; i < n;) {
      if (this.below[i] === 0 && !this.wanted[i]) {
        i = end[i];
        continue;
      }
      rows.push(i);
      i = this.open[i] && this.below[i] > 0 ? i + 1 : end[i];
    }
    this.rows = rows;
  }

  setOpen(node, open) {
    this.open[node] = open ? 1 : 0;
    this.list();
  }

  foldAll() {
    this.open.fill(0);
    this.list();
  }

  /** Opens all folders above `node`. */
  reveal(node) {
    for (let i = this.forest.files.up[node]; i >= 0; i = this.forest.files.up[i]) this.open[i] = 1;
    this.list();
  }
}
