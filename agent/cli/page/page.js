"use strict";

const box = document.getElementById("find");
const count = document.getElementById("count");
const rows = Array.from(document.querySelectorAll("table.tests tbody tr"));

function find() {
  const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const row of rows) {
    const text = row.textContent.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
    shown += row.hidden ? 0 : 1;
  }
  count.textContent = shown === rows.length ? `${shown} tests` : `${shown} of ${rows.length} tests`;
}

box.addEventListener("input", find);
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== box) {
    event.preventDefault();
    box.focus();
  }
});
