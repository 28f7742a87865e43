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

/** The texts of the head and of the rows that are shown; what was published in a column of its own and, if apart, what
 * stands beside a number, too. */
function cells(table, apart) {
  const body = [...table.tBodies[0].rows].filter((row) => !row.hidden && !row.classList.contains("filtered"));
  const [head, ...lines] = [table.tHead.rows[0], ...body].map((row) => [...row.cells].map((cell) => parts(cell)));
  const columns = head.map((_, column) => {
    const besides = apart ? lines.map((line) => line[column].beside).filter(Boolean) : [];
    const beside = besides.every((text) => /^[[±]/.test(text)) ? "interval" : "note";
    return { beside: besides.length ? beside : "", published: lines.some((line) => line[column].published) };
  });
  const texts = (line, isHead) =>
    line.flatMap((cell, column) => {
      const { beside, published } = columns[column];
      const own = [beside ? cell.number : `${cell.number} ${cell.beside}`.trim()];
      if (beside) own.push(isHead ? `${cell.number}: ${beside}` : cell.beside);
      if (published) own.push(isHead ? `${cell.number}: published` : cell.published);
      return own;
    });
  return [texts(head, true), ...lines.map((line) => texts(line, false))];
}

/** What a cell shows, the interval or note beside or below it, and what was published. */
function parts(cell) {
  const bare = cell.cloneNode(true);
  for (const extra of bare.querySelectorAll("[aria-hidden], .published .hidden")) extra.remove();
  const [note, published] = [".interval", ".published"].map((name) => bare.querySelector(name));
  note?.remove();
  published?.remove();
  const text = (node) => (node ? node.textContent.replace(/[\u2066-\u2069]/g, "").replace(/\s+/g, " ").trim() : "");
  const [number, half] = text(bare).split(/ (?=±)/);
  return { number, beside: [half, text(note)].filter(Boolean).join(" "), published: text(published) };
}

/** The exponent of a power of ten, with digits that are not raised. */
function lowered(raised) {
  return [...raised].map((sign) => "-0123456789"["⁻⁰¹²³⁴⁵⁶⁷⁸⁹".indexOf(sign)]).join("");
}

/** A cell as programs read it: an empty one for a dash, numbers without thousands separators and raised digits. */
function asCsv(lines) {
  const plain = (text) => {
    if (text === "–") return "";
    const whole = /^[+−]?\d{1,3}(,\d{3})+(\.\d+)?$/.test(text) ? text.replaceAll(",", "") : text;
    return whole.replace(/(?<=\d)×10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)/g, (_, raised) => `e${lowered(raised)}`).replaceAll("−", "-");
  };
  const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return lines.map((line) => line.map(plain).map(quoted).join(",") + "\n").join("");
}

const LATEX = {
  "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "<": "\\textless{}",
  ">": "\\textgreater{}", "|": "\\textbar{}", '"': "{\\char34}", "−": "$-$", "±": "$\\pm$", "…": "\\ldots{}",
  "[": "{[}", "]": "{]}", "*": "{*}", "`": "{`}",
};

function asLatex(lines) {
  const power = (number, raised) => `$${number.replace("−", "-")}\\times10^{${lowered(raised)}}$`;
  const signs = /([+−]?[\d.]+)×10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)|[\\~^<>|"−±…[\]*`&%$#_{}]/g;
  const escaped = (text) => text.replace(signs, (sign, number, raised) => (number ? power(number, raised) : LATEX[sign] || `\\${sign}`));
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
