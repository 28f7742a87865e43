// Tables: sorting, filtering, copying.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const original = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const sorter = button("", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      const back = head.getAttribute("aria-sort") === "descending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      // A third click gives the study's own order back.
      if (!back) head.setAttribute("aria-sort", down ? "descending" : "ascending");
      body.append(...(back ? original : [...original].sort(order(column, head.dataset.kind === "text", down))));
    });
    sorter.title = "Sort by this column";
    sorter.append(...head.childNodes);
    head.append(sorter);
  });
  if (table.id) addTools(table, original);
}

function order(column, isText, down) {
  const sign = down ? -1 : 1;
  return (one, other) => {
    const [a, b] = [one.cells[column], other.cells[column]];
    // Cells without a text or a number stay last, whichever way.
    if (isText) {
      const [x, y] = [a.textContent.trim(), b.textContent.trim()];
      return (x === "–") - (y === "–") || sign * x.localeCompare(y);
    }
    const [x, y] = [a.dataset.value, b.dataset.value];
    if (x === undefined || y === undefined) return (x === undefined) - (y === undefined);
    return sign * (Number(x) - Number(y));
  };
}

/** Buttons to copy a table and, for the main one, a filter; above the region that scrolls. */
function addTools(table, rows) {
  const said = make("span", { role: "status" });
  const tools = make("div", { class: "tools" });
  if (table.classList.contains("filterable")) {
    const text = make("input", { type: "search", placeholder: "Filter rows", "aria-label": "Filter rows by text" });
    const words = [...new Set(rows.map((row) => decision(row)))].filter((word) => word && word !== "–");
    const choice = make("select", { "aria-label": "Filter rows by decision" }, make("option", { value: "" }, "all decisions"));
    choice.append(...words.map((word) => make("option", {}, word)));
    const filter = () => {
      const wanted = text.value.trim().toLowerCase();
      for (const row of rows) {
        const fits = row.textContent.replace(/\s+/g, " ").toLowerCase().includes(wanted) && (!choice.value || decision(row) === choice.value);
        row.classList.toggle("filtered", !fits);
      }
      const shown = rows.filter((row) => !row.classList.contains("filtered")).length;
      said.textContent = shown === rows.length ? "" : `${shown} of ${rows.length} rows`;
    };
    text.addEventListener("input", filter);
    choice.addEventListener("change", filter);
    tools.append(text, ...(words.length > 1 ? [choice] : []));
  }
  for (const [name, write] of [["CSV", asCsv], ["LaTeX", asLatex]]) {
    tools.append(
      button(`Copy as ${name}`, async () => {
        const lines = cells(table, name === "CSV");
        const done = await copy(write(lines));
        said.textContent = done ? `Copied ${lines.length - 1} rows as ${name}.` : "The browser does not let this page copy.";
      }),
    );
  }
  tools.append(said);
  table.closest(".scroll").before(tools);
}

function decision(row) {
  const cell = row.querySelector(".decision");
  return cell ? cell.lastChild.textContent.trim() : "";
}

/** The texts of the head and of the rows that are shown; what stands beside a number in a column of its own if apart. */
function cells(table, apart) {
  const body = [...table.tBodies[0].rows].filter((row) => !row.hidden && !row.classList.contains("filtered"));
  const lines = [table.tHead.rows[0], ...body].map((row) => [...row.cells].map((cell) => parts(cell)));
  const beside = lines[0].map((_, column) => apart && lines.some((line) => line[column][1]));
  return lines.map((line, row) =>
    line.flatMap(([number, rest], column) => {
      if (!beside[column]) return [`${number} ${rest}`.trim()];
      return [number, row ? rest : `${number}: interval`];
    }),
  );
}

/** What a cell shows, and the interval or note beside or below it. */
function parts(cell) {
  const bare = cell.cloneNode(true);
  for (const extra of bare.querySelectorAll(".published, [aria-hidden]")) extra.remove();
  const below = bare.querySelector(".interval");
  below?.remove();
  const [shown, note] = [bare, below].map((node) => (node ? node.textContent.replace(/\s+/g, " ").trim() : ""));
  const [number, half] = shown.split(/ (?=±)/);
  return [number, [half, note].filter(Boolean).join(" ")];
}

function asCsv(lines) {
  const plain = (text) => (text === "–" ? "" : text.replaceAll("−", "-"));
  const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return lines.map((line) => line.map(plain).map(quoted).join(",") + "\n").join("");
}

const LATEX = {
  "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "<": "\\textless{}",
  ">": "\\textgreater{}", "|": "\\textbar{}", '"': "{\\char34}", "−": "$-$", "±": "$\\pm$", "…": "\\ldots{}",
  "[": "{[}", "]": "{]}", "*": "{*}", "`": "{`}",
};

function asLatex(lines) {
  const escaped = (text) => text.replace(/[\\~^<>|"−±…[\]*`]|[&%$#_{}]/g, (sign) => LATEX[sign] || `\\${sign}`);
  const rows = lines.map((line) => line.map(escaped).join(" & ") + " \\\\\n");
  const columns = "l" + "r".repeat(lines[0].length - 1);
  return `\\begin{tabular}{${columns}}\n\\hline\n${rows[0]}\\hline\n${rows.slice(1).join("")}\\hline\n\\end{tabular}\n`;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = make("textarea", { class: "hidden", "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy"); // where the clipboard is not open to files
    area.remove();
    return done;
  }
}
