/* Who remembers what: point at a letter of the sentence, and the earlier ones shine by ‖∂y_t/∂x_k‖, their
   influence on what the model expects next. The data are those of rnnlib/training/remember.py, where a row's
   strongest letter has the influence 10,000.

   The frame around the letter is a slider: one tab stop, and the arrow keys move it along the sentence. */

explore.add("remember", (figure, data, kit) => {
  const FAINTEST = 1e-3; // of the strongest letter: what is below it does not shine
  const letters = [...data.sentence];
  let model = data.models.at(-1);
  let t = data.start;
  let cells, frame;

  const svg = kit.svg(figure, { label: `The sentence, letter by letter: ${data.sentence}` });
  svg.setAttribute("role", "group"); // an image may hold nothing that takes the focus

  const names = { " ": "a space", "\n": "a new line", '"': "a quotation mark" };
  const named = letter => names[letter] ?? `“${letter}”`;
  const percent = share => `${share < 0.01 ? +(100 * share).toPrecision(1) : Math.round(100 * share)}%`;
  const list = (words, and) => `${words.slice(0, -1).join(", ")} ${and} ${words.at(-1)}`;
  const shade = relative => {
    const share = 55 * Math.max(0, 1 - Math.log10(relative) / Math.log10(FAINTEST));
    return `fill: color-mix(in srgb, var(--explore-grad) ${share.toFixed(1)}%, var(--explore-ground))`;
  };

  /** Row and column of each letter; words stay whole. */
  function places(columns) {
    let row = 0, column = 0;
    return data.sentence.match(/\S+\s*/g).flatMap(word => {
      if (column + word.trimEnd().length > columns) [row, column] = [row + 1, 0];
      return [...word].map(() => [row, column++]);
    });
  }

  function paint(narrow) {
    const [width, cell, height, size] = narrow ? [360, 12.4, 30, 17] : [640, 16, 36, 22];
    const at = places(Math.floor(width / cell));
    const below = (at.at(-1)[0] + 1) * height + 10;
    kit.resize(svg, width, below + 50);
    const page = kit.draw(svg, "g", { "aria-hidden": true }); // the frame says the letters
    cells = letters.map((letter, k) => {
      const [x, y] = [at[k][1] * cell, at[k][0] * height];
      const rect = kit.draw(page, "rect", { x, y: y + 2, width: cell, height: height - 4 });
      const text = kit.text(page, [x + cell / 2, y + height / 2 + 0.33 * size], letter, "", { size });
      text.style.fontFamily = "var(--pst-font-family-monospace, monospace)";
      return { rect, text };
    });

    const [patch, small] = [84, { size: 15 }];
    kit.text(svg, [1, below + 12], "influence, compared with the strongest letter", "", { ...small, anchor: "start" });
    [[FAINTEST, "1/1000"], [0.01, "1/100"], [0.1, "1/10"], [1, "strongest"]].forEach(([relative, words], i) => {
      kit.draw(svg, "rect", { x: 1 + i * patch, y: below + 22, width: patch, height: 26, style: shade(relative),
        stroke: "var(--explore-quiet)" });
      kit.text(svg, [1 + (i + 0.5) * patch, below + 40], words, "", small);
    });

    frame = kit.draw(svg, "rect", {
      width: cell, height: height - 4, tabindex: 0, role: "slider", "aria-label": "letter of the sentence",
      "aria-valuemin": 1, "aria-valuemax": letters.length, style: "fill: none; stroke: var(--explore-ink)",
      "stroke-width": 2.5 });
    frame.addEventListener("keydown", event => {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      const [back, on, end] = [t - 1, t + 1, letters.length - 1];
      const to = {
        ArrowLeft: back, ArrowDown: back, ArrowRight: on, ArrowUp: on, Home: 0, End: end }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      go(to);
    });
    go(t);
  }

  /** Look at letter number `to`. */
  function go(to) {
    t = Math.min(letters.length - 1, Math.max(0, to));
    const row = model.influence[t];
    const strongest = Math.max(...row);
    cells.forEach(({ rect, text }, k) => {
      rect.setAttribute("style", k > t ? "fill: none" : shade(row[k] / strongest));
      text.setAttribute("class", k > t ? "quiet" : "");
    });
    for (const side of ["x", "y"]) frame.setAttribute(side, cells[t].rect.getAttribute(side));
    frame.setAttribute("aria-valuenow", t + 1);
    frame.setAttribute("aria-valuetext", `${t + 1}: ${named(letters[t])}`);

    const total = row.reduce((a, b) => a + b);
    const most = row.map((value, k) => [value, k]).sort((a, b) => b[0] - a[0]).slice(0, 3).map(([value, k]) =>
      `${named(letters[k])} ${k === t ? "itself" : `${t - k} back`} (${percent(value / total)})`);
    const guesses = model.guesses[t].map(([letter, p]) => `${named(letter)} (${percent(p)})`);
    const latest = share => {
      let count = 0;
      for (let sum = 0; sum < share * total && count <= t; ) sum += row[t - count++];
      return count === 1 ? "this letter alone" : `the last ${count} letters`;
    };
    kit.say(figure, `${model.name}’s guess after ${named(letters[t])}: ${list(guesses, "or")}. ` +
      `${most.length > 1 ? `What counts most: ${list(most, "and")}. ` : ""}` +
      `Half of the influence lies in ${latest(0.5)}, 90% in ${latest(0.9)}.`);
  }

  for (const event of ["pointermove", "pointerdown"]) {
    svg.addEventListener(event, ({ clientX, clientY }) => {
      const k = cells.findIndex(({ rect }) => {
        const { left, right, top, bottom } = rect.getBoundingClientRect();
        return left <= clientX && clientX < right && top - 2 <= clientY && clientY < bottom + 2;
      });
      if (k >= 0 && k !== t) go(k);
    });
  }
  svg.addEventListener("click", () => frame.focus({ preventScroll: true })); // the arrow keys go on from there
  svg.style.touchAction = "pan-y"; // a finger moves along the letters; up and down it scrolls the page

  if (data.models.length > 1) {
    kit.choice(figure, "model:", data.models.map(({ name }) => name), name => {
      model = data.models.find(other => other.name === name);
      go(t);
    }, model.name);
  }
  const cases = document.createElement("div"); // in one line, where there is room
  cases.style.cssText = "display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; justify-content: center";
  cases.dataset.made = "";
  for (const [words, at] of Object.entries(data.cases)) cases.append(kit.button(figure, words, () => go(at)));
  figure.querySelector(".explore-controls").append(cases);
  kit.layout(paint);
});
