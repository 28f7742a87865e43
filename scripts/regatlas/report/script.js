"use strict";
// Without this script the tables stay as they are: sorting is an extra.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const original = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.title = "Sort by this column";
    button.append(...head.childNodes);
    head.append(button);
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      const back = head.getAttribute("aria-sort") === "descending";
      heads.forEach((other) => other.setAttribute("aria-sort", "none"));
      // A third click gives the study's own order back.
      if (!back) head.setAttribute("aria-sort", down ? "descending" : "ascending");
      body.append(...(back ? original : [...original].sort(order(column, head.dataset.kind === "text", down))));
    });
  });
}

function order(column, isText, down) {
  const sign = down ? -1 : 1;
  return (one, other) => {
    const [a, b] = [one.cells[column], other.cells[column]];
    if (isText) return sign * a.textContent.localeCompare(b.textContent);
    const [x, y] = [a.dataset.value, b.dataset.value];
    // Cells without a number stay last, whichever way.
    if (x === undefined || y === undefined) return (x === undefined) - (y === undefined);
    return sign * (Number(x) - Number(y));
  };
}

// A printed page shows the configuration, too.
window.addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});
