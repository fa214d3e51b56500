
for (const place of document.querySelectorAll('[data-files]')) {
  const number = place.dataset.files === 'a' ? 0 : 1;
  startFiles(place, data.subjects[number].files, place.dataset.files);
}
for (const place of document.querySelectorAll('[data-filter]')) startFilter(place);
for (const details of document.querySelectorAll('[data-list]')) startList(details, data.lists[Number(details.dataset.list)]);

// A printed page cannot be unfolded. The long tables of system calls and their like stay as the reader left them.
let unfolded = [];
window.addEventListener('beforeprint', () => {
  unfolded = [...document.querySelectorAll('details:not([open]):not(.table)')].filter((details) => !details.closest('td'));
  for (const details of unfolded) details.open = true;
});
window.addEventListener('afterprint', () => {
  for (const details of unfolded) details.open = false;
});

})();
