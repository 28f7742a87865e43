// The weights: pictures are coloured here from the grey levels of the sprite, so that scale, centring, seed and point of
// the grid can be chosen. The sprite is described in scripts/regatlas/figures/sprite.py.
const SATURATED = 0.995; // of |weight|, where colours saturate: single weights would leave the rest pale
const NARROW = matchMedia("screen and (max-width: 44rem)");
const KEPT = { weights: "centring", scale: "scale", seed: "seed", point: "point", unit: "unit" }; // in the address

/** How many units stand beside each other. */
function across(sprite) {
  return Math.min(sprite.units, NARROW.matches ? (sprite.hidden ? 10 : 5) : 20);
}

class Sprite {
  constructor(index, picture) {
    Object.assign(this, index);
    this.picture = picture;
    [this.height, this.width] = index.image;
    this.pixels = this.height * this.width;
    this.unlit = new Uint8Array(this.pixels);
    for (const pixel of index.never_lit) this.unlit[pixel] = 1;
    this.palette = index.colors.map((color) => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16)));
    this.scratch = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const places = new Set(this.rows.flatMap((row) => Object.keys(row.cells)));
    this.seeds = [...places].filter((place) => place !== "mean").sort((a, b) => a - b);
    const one = this.seeds.length === 1 && !this.left_out; // whose mean is itself
    this.places = [...(!one && this.rows.some((row) => row.method && row.cells.mean) ? ["mean"] : []), ...this.seeds];
  }

  /** The weights of a cell, [units][pixels] in one array; NaN where they are unknown. */
  weights(cell, centred) {
    const { width, height, pixels } = this;
    const [wide, left] = [cell.units * width, (cell.at % this.columns) * this.units * width];
    Object.assign(this.scratch.canvas, { width: wide, height });
    this.scratch.drawImage(this.picture, left, Math.floor(cell.at / this.columns) * height, wide, height, 0, 0, wide, height);
    const { data } = this.scratch.getImageData(0, 0, wide, height);
    const values = new Float32Array(cell.units * pixels);
    for (let unit = 0; unit < cell.units; unit++)
      for (let pixel = 0; pixel < pixels; pixel++) {
        const at = Math.floor(pixel / width) * wide + unit * width + (pixel % width);
        const level = data[4 * at];
        values[unit * pixels + pixel] = level === 255 ? NaN : cell.low + (level / 254) * (cell.high - cell.low);
      }
    if (centred) this.centre(values, cell.units);
    return values;
  }

  centre(values, units) {
    for (let pixel = 0; pixel < this.pixels; pixel++) {
      let [sum, known] = [0, 0];
      for (let at = pixel; at < values.length; at += this.pixels)
        if (!Number.isNaN(values[at])) [sum, known] = [sum + values[at], known + 1];
      for (let at = pixel; at < values.length; at += this.pixels) values[at] -= sum / known;
    }
  }

  /** Where colours saturate: a quantile of the sizes of the weights of pixels that are ever on. */
  limit(values) {
    const sizes = values.filter((value, at) => !this.unlit[at % this.pixels] && !Number.isNaN(value)).map(Math.abs).sort();
    return sizes[Math.ceil(SATURATED * sizes.length) - 1] || sizes[sizes.length - 1] || 1;
  }

  /** Paint units beside each other, `across` in a line, with a gap of one pixel. */
  paint(canvas, values, units, limit, across) {
    const { width, height, pixels } = this;
    const lines = Math.ceil(units / across);
    canvas.width = Math.min(units, across) * (width + 1) - 1;
    canvas.height = lines * (height + 1) - 1;
    const context = canvas.getContext("2d");
    const image = context.createImageData(canvas.width, canvas.height);
    for (let unit = 0; unit < units; unit++) {
      const [x0, y0] = [(unit % across) * (width + 1), Math.floor(unit / across) * (height + 1)];
      for (let pixel = 0; pixel < pixels; pixel++) {
        const value = values[unit * pixels + pixel];
        const at = 4 * ((y0 + Math.floor(pixel / width)) * canvas.width + x0 + (pixel % width));
        const scaled = Math.max(-1, Math.min(1, value / limit));
        const unknown = this.unlit[pixel] || Number.isNaN(value);
        const color = unknown ? [138, 138, 138] : this.palette[Math.min(255, Math.floor((scaled + 1) * 128))];
        image.data.set([...color, 255], at);
      }
    }
    context.putImageData(image, 0, 0);
  }
}

/** A control with its label, and both in one element. */
function labelled(control, label, ...more) {
  control.id = `weights-${label.toLowerCase().replaceAll(" ", "-")}`;
  return make("span", {}, make("label", { for: control.id }, label), " ", control, ...more);
}

function select(label, choices) {
  const list = make("select", {}, ...Object.entries(choices).map(([value, text]) => make("option", { value }, text)));
  return [list, labelled(list, label)];
}

function slider(label, most) {
  const range = make("input", { type: "range", min: 0, max: most, step: 1, value: 0 });
  const said = make("output");
  return [range, said, labelled(range, label, " ", said)];
}

function short(value) {
  return String(Number(value.toPrecision(2))).replace("-", "−");
}

/** The spectrum of a cell beside the others', both axes logarithmic, as an SVG. */
function spectrum(values, lowest, highest, label) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 100 40");
  svg.setAttribute("class", "spectrum");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", label);
  const y = (value) => 38 - (36 * Math.log(Math.max(value, lowest) / lowest)) / Math.log(highest / lowest || 2);
  const x = (at) => 2 + (96 * Math.log(at + 1)) / Math.log(values.length || 2);
  const line = (points, name) => {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
    path.setAttribute("points", points.map((point) => point.map((part) => part.toFixed(1)).join(",")).join(" "));
    path.setAttribute("class", name);
    svg.append(path);
  };
  line([[2, y(1)], [98, y(1)]], "noise");
  line(values.map((value, at) => [x(at), y(value)]), "power");
  return svg;
}

class Viewer {
  constructor(root, sprite) {
    this.sprite = sprite;
    const points = Math.max(...sprite.rows.map((row) => (row.point ?? 0) + 1));
    [this.centring, this.centringLabel] = select("Weights", { centred: "row-centred", raw: "raw" });
    [this.scale, this.scaleLabel] = select("Colour scale", { own: "of each row", shared: "one for all" });
    [this.seed, this.seedSaid, this.seedLabel] = slider("Seed", sprite.places.length - 1);
    [this.point, this.pointSaid, this.pointLabel] = slider("Point of the grid", points);
    [this.unit, this.unitSaid, this.unitLabel] = slider(sprite.hidden ? "Unit" : "Class", Math.max(sprite.units - 1, 0));
    const controls = make("div", { class: "tools", role: "group", "aria-label": "What the weight images show" });
    if (!sprite.hidden) controls.append(this.centringLabel);
    controls.append(this.scaleLabel);
    if (sprite.places.length > 1) controls.append(this.seedLabel);
    if (points > 1) controls.append(this.pointLabel);
    this.lines = this.entries().map((entry) => this.line(entry));
    this.strips = sprite.paths.map((path) => this.strip(path));
    this.heads = make("div", { class: "heads", "aria-hidden": "true" });
    const head = make("div", { class: "weights-row head" }, make("span"), this.heads, make("span", {}, "Spectrum"));
    root.append(make("div", { class: "viewer" }, controls, head, ...this.lines.map((line) => line.row)));
    const notes = [sprite.about, sprite.left_out ? `${sprite.left_out.toLocaleString("en")} pictures are left out, to keep the page small.` : ""];
    const powers = `Spectrum: power against spatial frequency, both logarithmic, of the${sprite.hidden ? "" : " row-centred"} weights of pixels that are lit in at least 5 % of the data set’s training images${sprite.hidden ? "" : ", also where raw weights are shown"}; the grey line is white noise.`;
    root.append(make("p", { class: "note" }, [powers, "Sliders move with the arrow keys.", ...notes].filter(Boolean).join(" ")));
    if (this.strips.length) {
      const tools = make("div", { class: "tools" }, this.unitLabel);
      const title = make("h3", {}, `One ${sprite.hidden ? "unit" : "class"} along the grid`);
      root.append(title, tools, make("div", { class: "strips" }, ...this.strips.map((strip) => strip.row)));
    }
    this.initial = Object.fromEntries(Object.values(KEPT).map((key) => [key, this[key].value]));
    for (const key of Object.values(KEPT))
      this[key].addEventListener("input", () => {
        this.save();
        requestAnimationFrame(() => this.show());
      });
    NARROW.addEventListener("change", () => this.show());
    root.hidden = false;
    this.load();
  }

  /** Keep what was chosen in the address; seeds by their number, not by their place on the slider. */
  save() {
    for (const [name, key] of Object.entries(KEPT)) {
      const { value } = this[key];
      const text = key === "seed" ? this.sprite.places[value] : value;
      writeAddress(name, value === this.initial[key] ? null : text);
    }
  }

  /** Choose what the address says; what it does not say, or says wrongly, is as at the start. */
  load() {
    const { values } = readAddress();
    for (const [name, key] of Object.entries(KEPT)) {
      const control = this[key];
      const text = values.get(name);
      const value = key === "seed" ? String(this.sprite.places.indexOf(text)) : text;
      const fits = control.options ? [...control.options].some((option) => option.value === value) : value >= 0 && value <= Number(control.max);
      control.value = fits ? value : this.initial[key];
    }
    this.show();
  }

  /** The units' names above the images; of two lines both. */
  name() {
    const { units, hidden } = this.sprite;
    const wide = across(this.sprite);
    const lines = units <= 2 * wide ? [0, wide] : [0]; // of more lines the first
    const words = (unit) => lines.map((more) => unit + more).filter((one) => one < units).map((one) => one + (hidden ? 1 : 0)).join(", ");
    this.heads.replaceChildren(...Array.from({ length: wide }, (_, unit) => make("span", {}, words(unit))));
  }

  /** What gets a line: every method, and what is no method's. */
  entries() {
    const { rows, labels } = this.sprite;
    const methods = [...new Set(rows.filter((row) => row.method).map((row) => row.method))];
    const names = { start: "Start of the training", template: "Mean images of the classes" };
    return [
      ...methods.map((id) => ({ id, label: labels[id] ?? id, rows: rows.filter((row) => row.method === id) })),
      ...rows.filter((row) => row.name).map((row) => ({ id: null, label: names[row.name] ?? row.name, rows: [row] })),
    ];
  }

  line({ id, label, rows }) {
    const canvas = make("canvas", { role: "img" });
    const [words, power] = [make("span", { class: "words" }), make("span")];
    const name = make("div", { class: "name" }, make("b", {}, label), words);
    const row = make("div", { class: "weights-row", ...(id === null ? {} : { "data-method": id }) }, name, canvas, power);
    return { row, rows, label, canvas, words, power };
  }

  strip({ method, setting, rows, words }) {
    const label = this.sprite.labels[method] ?? method;
    const frames = rows.map((number, at) => {
      const row = this.sprite.rows[number];
      const value = `${words[at]}${row.selected ? " (selected)" : ""}`;
      const canvas = make("canvas", { role: "img", "aria-label": `${label}, ${setting} ${value}` });
      return { row, canvas, frame: make("div", { class: row.selected ? "frame selected" : "frame" }, canvas, make("span", {}, value)) };
    });
    const film = make("div", { class: "film", tabindex: "0", role: "group", "aria-label": `${label} along ${setting}` });
    film.append(...frames.map(({ frame }) => frame));
    return { row: make("div", { class: "strip", "data-method": method }, make("span", {}, make("b", {}, label), ` ${setting}`), film), frames };
  }

  /** The cell of a row for the chosen seed, or the nearest there is. */
  cell(row, place) {
    return row.cells[place] ?? row.cells.mean ?? Object.values(row.cells)[0];
  }

  show() {
    const { sprite } = this;
    const place = sprite.places[this.seed.value] ?? "mean";
    const centred = this.centring.value === "centred";
    this.seedSaid.textContent = place === "mean" ? "mean of all" : place;
    this.pointSaid.textContent = this.point.value === "0" ? "selected" : `number ${this.point.value}`;
    this.name();
    this.unitSaid.textContent = Number(this.unit.value) + (sprite.hidden ? 1 : 0);
    const drawn = this.lines.map((line) => {
      const row = line.rows[this.point.value - 1] ?? line.rows.find((one) => one.selected) ?? line.rows[0];
      const cell = this.cell(row, place);
      const values = cell && sprite.weights(cell, centred && !row.hidden);
      return { line, row, cell, values, limit: values ? sprite.limit(values) : 0 };
    });
    const isWeights = (row) => row.name !== "template"; // which has a unit of its own
    const shared = Math.max(...drawn.filter(({ row }) => isWeights(row)).map(({ limit }) => limit));
    const powers = drawn.flatMap(({ cell }) => cell?.spectrum ?? []).filter((value) => value > 0);
    const [lowest, highest] = [Math.min(...powers, 1), Math.max(...powers, 1)];
    for (const { line, row, cell, values, limit } of drawn) {
      line.canvas.hidden = !cell;
      line.power.replaceChildren();
      if (!cell) {
        line.words.textContent = "no finished run";
        continue;
      }
      const top = this.scale.value === "shared" && isWeights(row) ? shared : limit;
      sprite.paint(line.canvas, values, cell.units, top, across(sprite));
      const found = Object.keys(row.cells).find((key) => row.cells[key] === cell);
      const words = [row.words, found !== place && row.method ? (found === "mean" ? "mean" : `seed ${found}`) : "", `colours to ±${short(top)}`];
      line.words.textContent = words.filter(Boolean).join("; ");
      line.canvas.setAttribute("aria-label", `Weights of ${line.label}, ${found === "mean" ? "mean over seeds" : `seed ${found}`}, ${line.words.textContent}`);
      if (cell.spectrum.length) line.power.append(spectrum(cell.spectrum, lowest, highest, `Power spectrum of ${line.label}: ${short(cell.spectrum[0])} at the coarsest scale, ${short(cell.spectrum.at(-1))} at the finest, white noise being 1`));
    }
    for (const { frames } of this.strips) this.showStrip(frames, place, centred);
  }

  showStrip(frames, place, centred) {
    const { sprite } = this;
    const drawn = frames.map(({ row, canvas }) => {
      const cell = this.cell(row, place);
      canvas.hidden = !cell;
      if (!cell) return { limit: 0 };
      const values = sprite.weights(cell, centred && !row.hidden);
      const unit = Math.min(this.unit.value, cell.units - 1);
      return { canvas, values: values.slice(unit * sprite.pixels, (unit + 1) * sprite.pixels), limit: sprite.limit(values) };
    });
    const shared = Math.max(...drawn.map(({ limit }) => limit));
    for (const { canvas, values, limit } of drawn)
      if (canvas) sprite.paint(canvas, values, 1, this.scale.value === "shared" ? shared : limit, 1);
  }
}

let viewer = null;
const spriteRoot = document.getElementById("sprite");
if (spriteRoot) {
  const picture = document.getElementById("sprite-picture");
  const index = JSON.parse(spriteRoot.dataset.index);
  delete spriteRoot.dataset.index;
  picture.decode().then(() => {
    viewer = new Viewer(spriteRoot, new Sprite(index, picture));
    for (const still of document.querySelectorAll("details.stills")) still.open = false;
    showPicked();
  });
}
