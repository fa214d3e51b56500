
/** Squarified treemap (Bruls, Huizing and van Wijk, 2000): [weight] -> [x, y, width, height] within the rectangle. */
function squarify(weights, x, y, width, height) {
  const places = [];
  let total = weights.reduce((sum, weight) => sum + weight, 0);
  for (let from = 0; from < weights.length && total > 0;) {
    const side = Math.min(width, height);
    const scale = width * height / total;
    let sum = 0;
    let worst = Infinity;
    let to = from;
    for (; to < weights.length; ++to) {
      const next = sum + weights[to] * scale;
      const ratio = Math.max(side * side * weights[from] * scale / (next * next), next * next / (side * side * weights[to] * scale));
      if (ratio > worst) break;
      worst = ratio;
      sum = next;
    }
    const thick = sum / side;
    let along = 0;
    for (let i = from; i < to; ++i) {
      const long = weights[i] * scale / thick;
      places.push(width >= height ? [x, y + along, thick, long] : [x + along, y, long, thick]);
      along += long;
      total -= weights[i];
    }
    if (width >= height) {
      x += thick;
      width -= thick;
    } else {
      y += thick;
      height -= thick;
    }
    from = to;
  }
  return places;
}

/** Names of one kind differ at the end more often than in the middle. */
function shortened(text, room) {
  const end = Math.floor((room - 1) / 2);
  return text.length <= room ? text : text.slice(0, room - 1 - end) + '…' + text.slice(text.length - end);
}

const MAP_WIDTH = 460;
const MAP_HEIGHT = 250;
const MAX_TILES = 250;

/**
 * Directories by how many wanted paths they hold, coloured by what was mostly done there; a click goes into one. For the pointer only: the
 * tree beside it has the same for the keyboard and for screen readers.
 */
class Treemap {
  constructor(rows, onGo) {
    this.rows = rows;
    this.onGo = onGo;
    this.root = -1;
    this.place = make('code', {}, '/');
    this.up = make('button', { type: 'button' }, 'Up');
    this.svg = makeSvg('svg', { viewBox: `0 0 ${MAP_WIDTH} ${MAP_HEIGHT}`, role: 'img', 'aria-label': 'Directories by number of paths: the tree has the same' });
    this.box = make('div', { class: 'treemap' }, make('div', { class: 'where' }, this.up, this.place), this.svg);
    this.up.addEventListener('click', () => this.go(this.root < 0 ? -1 : this.rows.forest.files.up[this.root]));
    this.svg.addEventListener('click', (event) => this.onTile(event));
  }

  onTile(event) {
    const tile = event.target.closest('.tile');
    if (!tile || tile.dataset.node === undefined) return;
    const node = Number(tile.dataset.node);
    this.onGo(node);
    if (this.rows.below[node] > 0) this.go(node);
  }

  go(node) {
    this.root = node;
    this.draw();
  }

  children(node) {
    const { forest, below, wanted } = this.rows;
    const found = [];
    for (let i = node < 0 ? 0 : node + 1, stop = node < 0 ? forest.n : forest.end[node]; i < stop; i = forest.end[i]) {
      const weight = below[i] + wanted[i];
      if (weight > 0) found.push([weight, i]);
    }
    return found.sort((left, right) => right[0] - left[0]);
  }

  /** What was done to most of what is wanted in `node`. */
  mainKind(node) {
    const { forest, wanted } = this.rows;
    const counts = [0, 0, 0, 0, 0];
    for (let i = node; i < forest.end[node]; ++i) if (wanted[i]) ++counts[forest.files.kind[i]];
    return KINDS[counts.indexOf(Math.max(...counts))];
  }

  draw() {
    const { forest, below } = this.rows;
    let shown = this.root;
    // A single directory says nothing: what is in it does.
    for (let children = this.children(shown); children.length === 1 && below[children[0][1]] > 0; children = this.children(shown)) {
      shown = children[0][1];
    }
    this.place.textContent = shown < 0 ? 'everything' : forest.path(shown);
    this.up.disabled = this.root < 0;
    this.left = MAX_TILES;
    this.svg.replaceChildren(...this.tiles(shown, 0, 0, MAP_WIDTH, MAP_HEIGHT, 0));
  }

  /** What is in `folder`, in a rectangle; directories with room enough show what is in them. */
  tiles(folder, x, y, width, height, level) {
    const children = this.children(folder);
    const room = Math.max(Math.min(Math.floor(width * height / 500), 40), 1);
    const shown = children.slice(0, room);
    const rest = children.slice(room).reduce((sum, child) => sum + child[0], 0);
    if (rest > 0) shown.push([rest, -1]);
    const places = squarify(shown.map((child) => child[0]), x, y, width, height);
    return shown.flatMap(([weight, node], i) => {
      const [left, top, wide, high] = places[i];
      const made = [this.tile(weight, node, places[i], level)];
      --this.left;
      if (node >= 0 && this.rows.below[node] > 1 && wide > 60 && high > 52 && level < 4 && this.left > 0) {
        made.push(...this.tiles(node, left + 4, top + 20, wide - 8, high - 24, level + 1));
      }
      return made;
    });
  }

  tile(weight, node, [x, y, width, height], level) {
    const { forest, below } = this.rows;
    const name = node < 0 ? 'smaller ones' : forest.files.name[node] + (below[node] > 0 && forest.files.name[node] !== '/' ? '/' : '');
    const kind = node < 0 ? ['looked'] : this.mainKind(node);
    const label = `${name}: ${grouped(weight)} ${weight === 1 ? 'path' : 'paths'}${node < 0 ? '' : `, mostly ${kind[1]}`}`;
    const attributes = { class: `tile ${kind[0]} level-of-${level % 2}` };
    if (node >= 0) attributes['data-node'] = node;
    const tile = makeSvg('g', attributes,
      makeSvg('rect', { x, y, width: Math.max(width, 0), height: Math.max(height, 0), rx: 3 }), makeSvg('title', {}, label));
    const room = Math.floor((width - 10) / 7.2);
    const count = grouped(weight);
    if (height > 18 && room > 2) {
      const text = name.length + count.length + 2 < room ? `${name}  ${count}` : name;
      tile.append(makeSvg('text', { x: x + 5, y: y + 14 }, shortened(text, room)));
    }
    return tile;
  }
}
