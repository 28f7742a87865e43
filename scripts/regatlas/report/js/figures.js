// Figures: a tip with values under the pointer, and a button to download them.
const tip = make("div", { class: "tip", "aria-hidden": "true" });
tip.hidden = true;
document.body.append(tip);

for (const drawing of document.querySelectorAll("figure svg")) {
  for (const title of drawing.querySelectorAll("[data-method] > title")) {
    title.parentNode.dataset.tip = title.textContent; // the browser's own tip would come as well, and late
    title.remove();
  }
  drawing.addEventListener("pointermove", (event) => {
    const text = event.target.closest("[data-tip]")?.dataset.tip;
    tip.hidden = !text;
    if (!text) return;
    tip.textContent = text;
    const left = Math.min(event.clientX + 14, document.documentElement.clientWidth - tip.offsetWidth - 4);
    tip.style.left = `${Math.max(left, 4)}px`;
    tip.style.top = `${event.clientY + 18}px`;
  });
  drawing.addEventListener("pointerleave", () => {
    tip.hidden = true;
  });
}

for (const figure of document.querySelectorAll("main figure[id]")) {
  const drawing = figure.querySelector("svg");
  const caption = figure.querySelector("figcaption");
  if (!drawing || !caption) continue;
  const name = figure.id.replace("figure-", "");
  const here = make("a", { class: "anchor", href: `#${figure.id}`, "aria-label": `Link to the figure ${name}` }, "#");
  caption.append(here, button("Download SVG", () => download(drawing, name), { "aria-label": `Download the figure ${name}` }));
}

/** A copy of a figure that stands by itself: dark ink on nothing, without the methods that are not shown. */
function download(drawing, name) {
  const alone = drawing.cloneNode(true);
  for (const off of alone.querySelectorAll(".off")) off.remove();
  alone.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  alone.setAttribute("color", "#1c1b1d");
  const [, , width, height] = alone.getAttribute("viewBox").split(" ");
  alone.setAttribute("width", `${width}pt`);
  alone.setAttribute("height", `${height}pt`);
  save(new Blob([new XMLSerializer().serializeToString(alone)], { type: "image/svg+xml" }), `${name}.svg`);
}

function save(blob, name) {
  const link = make("a", { download: name, href: URL.createObjectURL(blob) });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
