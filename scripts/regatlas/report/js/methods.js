// Methods are picked once; tables, figures and weights follow.
const METHODS = [...document.querySelectorAll("#table-comparison tbody tr")].map((row) => ({
  id: row.dataset.method,
  label: row.cells[0].textContent.trim(),
  color: row.querySelector(".swatch")?.style.background,
}));
const boxes = new Map();

if (METHODS.length > 1) {
  const list = make("div", { class: "choices", role: "group", "aria-label": "Methods that are shown" });
  for (const { id, label, color } of METHODS) {
    const box = make("input", { type: "checkbox" });
    box.checked = true;
    box.addEventListener("change", pickChecked);
    boxes.set(id, box);
    const swatch = make("span", { class: "swatch", "aria-hidden": "true" });
    swatch.style.background = color;
    list.append(make("label", {}, box, swatch, label));
  }
  const all = (on) => () => {
    for (const box of boxes.values()) box.checked = on;
    pickChecked();
  };
  const shown = () => {
    for (const row of document.querySelectorAll("#table-comparison tbody tr"))
      boxes.get(row.dataset.method).checked = !row.classList.contains("filtered");
    pickChecked();
  };
  document.getElementById("picker").append(
    make(
      "details",
      {},
      make("summary", { id: "picked", "aria-live": "polite" }),
      make("div", { class: "tools" }, button("All", all(true)), button("None", all(false)), button("Those of the filter", shown)),
      list,
    ),
  );
}

function pickChecked() {
  const picked = [...boxes].filter(([, box]) => box.checked).map(([id]) => id);
  writeAddress("methods", picked.length === boxes.size ? null : picked.map(encodeURIComponent).join(","));
  showPicked();
}

/** Check what the address names; ids that the study does not have are ignored, and `methods=` names none. */
function pickFromAddress() {
  const named = readAddress().values.get("methods");
  const wanted = new Set((named || "").split(",").map(decode).filter((id) => boxes.has(id)));
  const all = named === undefined || (named !== "" && !wanted.size);
  for (const [id, box] of boxes) box.checked = all || wanted.has(id);
  showPicked();
}

function showPicked() {
  for (const marked of document.querySelectorAll("[data-method]")) {
    const box = boxes.get(marked.dataset.method);
    const off = Boolean(box) && !box.checked;
    if (marked instanceof SVGElement) marked.classList.toggle("off", off);
    else marked.hidden = off;
  }
  const count = [...boxes.values()].filter((box) => box.checked).length;
  const title = document.getElementById("picked");
  if (title) title.textContent = `Methods shown: ${count === boxes.size ? `all ${count}` : `${count} of ${boxes.size}`}`;
}
