
/** An element with attributes, and texts or elements in it. Texts are never markup. */
function make(name, attributes, ...inside) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === true) element.setAttribute(key, '');
    else if (value !== false && value !== null) element.setAttribute(key, value);
  }
  element.append(...inside);
  return element;
}

function makeSvg(name, attributes, ...inside) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes || {})) element.setAttribute(key, value);
  element.append(...inside);
  return element;
}

const grouped = (number) => number.toLocaleString('en-US');

/** `text` with what of it matches `words` in <mark>. */
function marked(text, words) {
  const parts = [];
  let rest = text;
  for (;;) {
    const lower = rest.toLowerCase();
    let at = -1;
    let word = '';
    for (const candidate of words) {
      const found = candidate === '' ? -1 : lower.indexOf(candidate);
      if (found >= 0 && (at < 0 || found < at)) {
        at = found;
        word = candidate;
      }
    }
    if (at < 0) break;
    if (at > 0) parts.push(rest.slice(0, at));
    parts.push(make('mark', {}, rest.slice(at, at + word.length)));
    rest = rest.slice(at + word.length);
  }
  parts.push(rest);
  return parts;
}

/** Calls `act` once typing has stopped for a moment. */
function afterTyping(input, act) {
  let timer = 0;
  input.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(act, 120);
  });
}
