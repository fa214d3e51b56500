'use strict';
// The scripts are one: report.cc joins the files of this folder in the order of their names.
(() => {

/** What the page was written with: { subjects: [{ files }], lists }. */
const data = JSON.parse(document.getElementById('data').textContent);

/** The names of FileKind (file_kind.h), in its order: class in the page, and word. */
const KINDS = [['executed', 'executed'], ['changed', 'changed'], ['read', 'read'], ['looked', 'looked at'], ['missing', 'not found']];
const NO_KIND = -1;

/** The tree of files, as files_view.h describes it, with what follows from it. */
function makeForest(files) {
  const n = files.name.length;
  const end = new Int32Array(n);      // one past the last node below
  const depth = new Uint16Array(n);
  for (let i = 0; i < n; ++i) {
    depth[i] = files.up[i] < 0 ? 0 : depth[files.up[i]] + 1;
    end[i] = i + 1;
  }
  for (let i = n - 1; i >= 0; --i) {
    const up = files.up[i];
    if (up >= 0 && end[i] > end[up]) end[up] = end[i];
  }
  const more = new Map(files.more.map(([node, failures, ioctls]) => [node, { failures, ioctls }]));
  const path = (node) => {
    const parts = [];
    for (let i = node; i >= 0; i = files.up[i]) parts.push(files.name[i]);
    parts.reverse();
    return parts[0] === '/' ? '/' + parts.slice(1).join('/') : parts.join('/');
  };
  let lower = null;
  /** Every path in lower case, made at the first search. */
  const lowerPaths = () => {
    if (lower === null) {
      lower = new Array(n);
      for (let i = 0; i < n; ++i) {
        const name = files.name[i].toLowerCase();
        const up = files.up[i];
        lower[i] = up < 0 ? name : lower[up] === '/' ? '/' + name : lower[up] + '/' + name;
      }
    }
    return lower;
  };
  return { files, n, end, depth, more, path, lowerPaths };
}
