/* The figures of the chapter on the minimal gated recurrent unit. */

const minGruChapter = (() => {
  "use strict";

  const { sigma, whole } = explore.kit;
  const upTo = n => [...Array(n).keys()];

  // ---------------------------------------------------------------- what waits for what

  /** What is computed at each tick of three ways through T steps: lists of cells {row, t, share, from}. from: the
      cells [row, t] that it waited for; share: which part of the steps up to t its state knows by now. */
  function ways(T) {
    const gate = (t, from = []) => ({ row: "gate", t, share: 1, from });
    const state = (t, from = [], known = t + 1) => ({ row: "state", t, share: known / (t + 1), from });
    const before = t => (t ? [["state", t - 1]] : []);
    const gates = upTo(T).map(t => gate(t));
    const scan = [[...gates, ...upTo(T).map(t => state(t, [], 1))]];
    for (let far = 1; far < T; far *= 2) {
      scan.push(upTo(T - far).map(t => state(t + far, [["state", t]], Math.min(2 * far, t + far + 1))));
    }
    return {
      gru: upTo(T).flatMap(t => [[gate(t, before(t))], [state(t, [["gate", t], ...before(t)])]]),
      loop: [[...gates, state(0)], ...upTo(T).slice(1).map(t => [state(t, [["gate", t], ...before(t)])])],
      scan,
    };
  }

  const NAMES = { gru: "GRU", loop: "MinGRU, a loop", scan: "MinGRU, a scan" };

  // Three ways through the same steps: at each tick, all that waits for nothing.
  explore.add("wait", (figure, { T }, kit) => {
    const svg = kit.svg(figure, { width: 640, height: 298, label: figure.dataset.alt });
    let ticks = ways(T), n = 0, width = 640;
    const done = name => n >= ticks[name].length;

    /** One way, from `top` downwards: gates above, states below, and what is computed now with its arrows. */
    function row(name, top) {
      const left = 52, wide = (width - left - 4) / T, size = 14;
      const y = { gate: top + 25, state: top + 56 }, middle = t => left + (t + 0.5) * wide;
      const known = { gate: {}, state: {} };
      ticks[name].slice(0, n).forEach((cells, tick) =>
        cells.forEach(cell => (known[cell.row][cell.t] = { ...cell, now: tick === n - 1 })));

      kit.text(svg, [left, top + 15], NAMES[name], "", { size: 15, anchor: "start" });
      const end = ticks[name].length;
      kit.text(svg, [width - 4, top + 15], done(name) ? `done after ${end} ticks` : `tick ${n}`, done(name) ? "new" : "quiet",
        { size: 15, anchor: "end" });
      for (const [kind, word] of [["gate", "gates"], ["state", "states"]]) {
        const group = kit.draw(svg, "g", { class: kind });
        kit.text(group, [left - 6, y[kind] + 12], word, "", { size: 14, anchor: "end" });
        for (const t of upTo(T)) {
          const place = { x: middle(t) - 0.42 * wide, width: 0.84 * wide }, cell = known[kind][t];
          kit.draw(group, "rect", { ...place, y: y[kind], height: size, class: cell ? null : "quiet", style: `fill: none; stroke: var(--pen); stroke-width: ${cell ? 1.5 : 0.75}` });
          if (cell) kit.draw(group, "rect", { ...place, y: y[kind] + (1 - cell.share) * size, height: cell.share * size, "data-row": kind, "data-t": t,
            style: `fill: ${cell.now ? "var(--pen)" : "color-mix(in srgb, var(--pen) 45%, var(--explore-ground))"}` });
        }
      }
      const arrows = n && n <= end ? ticks[name][n - 1].flatMap(({ row: kind, t, from }) => from.map(([of, s]) => {
        const [a, b] = [middle(s), middle(t)], below = y.state + size, depth = 2 * Math.min(19, 5 + 0.35 * (b - a));
        return kind === "gate" ? ["state", `M${a} ${y.state}L${b} ${y.gate + size}`, [b, y.gate + size], -1]
          : of === "gate" ? ["gate", `M${a} ${y.gate + size}V${y.state}`, [b, y.state], 1]
          : ["state", `M${a} ${below}Q${(a + b) / 2} ${below + depth} ${b} ${below}`, [b, below], -1];
      })) : [];
      const tip = Math.min(6, 0.7 * wide), many = arrows.length > 9;
      for (const [kind, d] of arrows) kit.draw(svg, "path", { class: `line ${kind}`, d, style: `stroke-width: ${many ? 1 : 1.5}; opacity: ${many ? 0.6 : 1}` });
      for (const [kind, , [px, py], down] of arrows) kit.draw(svg, "path", { class: `dots ${kind}`, d: `M${px} ${py}l${-tip / 2} ${-down * tip}h${tip}Z` });
    }

    function draw() {
      kit.resize(svg, width, 298);
      Object.keys(NAMES).forEach((name, k) => row(name, 94 * k));
      kit.text(svg, [52 + (width - 56) / 2, 293], "step after step →", "quiet", { size: 14 });
    }

    function begin() {
      clock.pause();
      n = 0;
      draw();
      kit.say(figure, `${T} steps, three ways through. In one tick everything is computed that waits for nothing. Press Play.`);
    }

    function step() {
      if (done("gru")) begin();
      n += 1;
      draw();
      const [gru, loop, scan] = Object.keys(NAMES).map(name => ticks[name].length);
      if (n === gru) kit.say(figure, `${whole(`Scan ${scan} ticks,`)} ${whole(`loop ${loop},`)} ${whole(`GRU ${gru}.`)} A tick counts on a hand for everything that can be done at once. ` +
        "A machine with fewer hands is slower; the chapter on the scan measures by how much.");
      else if (n === loop) kit.say(figure, `The loop is done, after ${loop} ticks: its gates did not wait. The GRU has two ticks for each step, gates and state.`);
      else if (n === scan) kit.say(figure, `The scan is done, after ${scan} ticks: one for the gates, and ${scan - 1} in which each state reaches twice as far back.`);
      else if (n === 1) kit.say(figure, "Tick 1: one step's gates in the GRU; all gates in the MinGRU, and its first state with them: after 0 it is $b_1$, there is nothing to wait for.");
      else if (n < scan) kit.say(figure, `Tick ${n}: ${n % 2 ? `gates of step ${(n + 1) / 2}` : `$h_{${n / 2}}$`} in the GRU, $h_{${n}}$ in the loop; ` +
        `the scan reaches ${2 ** (n - 2)} ${n === 2 ? "step" : "steps"} back.`);
      return n < gru;
    }

    kit.range(figure, { label: "steps $T$", min: 4, max: 48, step: 1, value: T }, value => {
      T = value;
      ticks = ways(T);
      begin();
    });
    const clock = kit.play(figure, step, 160, { slow: () => !done("scan"), step: "step" });
    kit.button(figure, "again", begin);
    kit.layout(narrow => {
      width = narrow ? 360 : 640;
      draw();
    });
    begin();
  });

  // ---------------------------------------------------------------- parity

  /** The states h_1 … h_T of h ← a h + b from h = 0, and for each whether "above the threshold" says its parity. */
  function parity(a, b, threshold, T) {
    let h = 0;
    const states = upTo(T).map(() => (h = a * h + b));
    return { states, right: states.map((state, t) => (state > threshold) === (t % 2 === 0)) };
  }

  // A row of ones, counted modulo 2 by one straight line.
  explore.add("parity", (figure, { a, b, threshold, T }, kit) => {
    const now = { a, b, threshold }, left = 58, longest = 10_000, most = T / 2 + 1, enough = 3;
    const svg = kit.svg(figure, { width: 640, height: 304, label: figure.dataset.alt });
    let width = 640, moves = 0;

    function draw() {
      const { a, b, threshold } = now, { states, right } = parity(a, b, threshold, T);
      const [low, high] = [Math.min(-0.5, threshold, ...states), Math.max(1.5, threshold, ...states)];
      const room = 0.08 * (high - low);
      kit.resize(svg, width, 304);
      const axes = kit.axes(svg, { x: [0.3, T + 0.7], y: [low - room, high + room], box: [left, 30, width - left - 6, 216], ticks: { x: [] } });
      kit.text(svg, [left - 7, 17], "$x_t$", "x", { anchor: "end" });
      kit.text(svg, [4, 143], "$h_t$", "state", { anchor: "start" });
      const parities = [["odd", "state", 262], ["even", "gate", 278]];
      for (const [word, colour, y] of parities) kit.text(svg, [left - 7, y], word, colour, { size: 14, anchor: "end" });
      const level = axes.y(threshold);
      kit.draw(svg, "path", { class: "line", style: "stroke-width: 1.5", d: `M${left} ${level}H${width - 6}` });
      states.forEach((state, t) => {
        const [x, y] = [axes.x(t + 1), axes.y(state)], odd = state > threshold;
        kit.text(svg, [x, 17], "1", "x", { size: 14 });
        const [word, colour, line] = parities[t % 2];
        kit.text(svg, [x, line], word[0], colour, { size: 14 });
        const mark = kit.draw(svg, "g", { class: odd ? "state" : "gate", "data-call": odd ? "odd" : "even", "data-right": right[t] });
        kit.draw(mark, "circle", { cx: x, cy: y, r: 5, style: `fill: ${right[t] ? "var(--pen)" : "var(--explore-ground)"}; stroke: var(--pen); stroke-width: 2` });
        if (!right[t]) kit.draw(mark, "path", { class: "line", style: "stroke-width: 1.75", d: `M${x - 3} ${y - 3}l6 6m0 -6l-6 6` });
      });
      kit.text(svg, [(left + width) / 2, 299], "● right   ⊗ wrong", "quiet", { size: 14 });
      const count = right.filter(Boolean).length;
      if (a >= 0 && count === most) moves = enough; // found: there is nothing to hide
      kit.say(figure, verdict(count));
    }

    /** How many are right, and why. */
    function verdict(count) {
      const { a, b, threshold } = now, told = `Right: ${count} of ${T}.`;
      if (a >= 0 && moves < enough) return `${told} Can you get more?`;
      if (a >= 0) return `${told} With $a$ ≥ 0 the states only rise, or only fall. They cross the threshold once at most: ` +
        (count === most ? "this is the best there is." : `${most} is the best there is.`);
      if (count < T) return `${told} With $a$ < 0 the states swing, as parity does. Now let them swing across the threshold, from above.`;
      const first = parity(a, b, threshold, longest).right.indexOf(false) + 1;
      return `${told} ${first ? `But the swings fade towards ${kit.number(b / (1 - a))}: the first mistake comes at step ${first}.`
        : "Nothing fades: it swings for ever."} And no σ gives this $a$.`;
    }

    const slider = (name, label, end, colour, row) =>
      kit.range(figure, { label, min: -end, max: end, step: 0.05, value: now[name], colour, row }, value => {
        now[name] = value;
        draw();
      });
    const factor = slider("a", "$a$", 1, "gate", 1);
    slider("b", "$b$", 1, "x", 2);
    slider("threshold", "threshold", 2, "state", 2);
    mark(factor);
    figure.addEventListener("change", () => { // a slider has been let go
      moves += 1;
      draw();
    });
    kit.layout(narrow => {
      width = narrow ? 360 : 640;
      draw();
    });
  });

  /** Under a slider from −1 to 1: which half of it a gate can reach. */
  function mark(slider) {
    const strip = document.createElement("div");
    strip.style.cssText = "display: flex; font-size: 0.85rem; line-height: 1.5; text-align: center";
    const half = (words, style) => {
      const element = document.createElement("span");
      element.style.cssText = `flex: 1; ${style}`;
      strip.append(explore.kit.write(element, words));
    };
    half("no σ gives these", "background: repeating-linear-gradient(-45deg, color-mix(in srgb, var(--explore-quiet) 22%, transparent) 0 3px, transparent 3px 9px)");
    half("$a$ = 1 − $z$", "background: color-mix(in srgb, var(--explore-gate) 18%, transparent)");
    slider.after(strip);
  }

  // ---------------------------------------------------------------- one step

  /** The candidate of a sum: the sum itself, or positive, as logarithms need it. */
  const candidate = (u, mode) => (mode === "vanilla" ? u : u >= 0 ? u + 0.5 : sigma(u));

  /** One step of one unit whose candidate reads the input with the weight 1 and no bias. */
  function unit(x, h, w, bias, mode) {
    const k = w * x + bias, z = sigma(k), c = candidate(x, mode);
    return { k, z, c, a: 1 - z, b: z * c, next: (1 - z) * h + z * c };
  }

  explore.add("cell", (figure, { x, h, w, bias }, kit) => {
    const now = { x, h, w, bias };
    const round = value => Math.round(1000 * value) / 1000, number = value => kit.number(round(value));
    const svg = kit.resize(kit.svg(figure, { label: figure.dataset.alt }), 400, 258);
    const circuit = kit.circuit(svg);
    let mode = "vanilla";
    circuit.arrow("old", [66, 28], [121, 28], "state", "keep");
    circuit.arrow("kept", [153, 28], [222, 28], "state", "keep gate");
    circuit.arrow("next", [252, 28], [333, 28], "state", "state");
    circuit.arrow("asked", [35, 210], [35, 125], "x", "input gate");
    circuit.arrow("open", [66, 102], [220, 102], "gate", "gate");
    circuit.arrow("x", [66, 232], [205, 232], "x", "input");
    circuit.arrow("u", [237, 210], [237, 187], "x", "input mode");
    circuit.arrow("c", [237, 142], [237, 119], "x", "input mode gate");
    circuit.arrow("taken", [237, 86], [237, 44], "x", "input mode gate");
    circuit.gate("a", [137, 28], "$a_t$ = 1 − $z_t$", [64, 66], "keep gate");
    circuit.gate("z", [237, 102], "$z_t$", [262, 107], "gate");
    circuit.sum([237, 28], "state", "state");
    circuit.box("h_before", "$h_{t−1}$", [4, 6], "state", "keep");
    circuit.box("h_t", "$h_t$", [334, 6], "state", "state");
    circuit.box("k_t", "$k_t$", [4, 80], "gate", "gate");
    circuit.box("x_t", "$x_t$", [4, 210], "x", "input");
    circuit.box("u_t", "$u_t$", [206, 210], "x", "input");
    circuit.box("c_t", "$h̃_t$", [206, 142], "x", "input mode");
    kit.text(svg, [143, 94], "σ", "", { size: 15, part: "gate" });
    const sum = kit.text(svg, [44, 172], "", "", { size: 15, anchor: "start", part: "gate" });
    const carried = kit.text(svg, [252, 66], "", "", { size: 15, anchor: "start", part: "input mode gate" });
    const change = kit.text(svg, [250, 204], "", "", { size: 15, anchor: "start", part: "input mode" });

    const bracket = value => (value < 0 ? `(${number(value)})` : number(value));
    const signed = value => (value < 0 ? `− ${number(-value)}` : `+ ${number(value)}`);

    function draw(part) {
      const { x, h, w, bias } = now, { k, z, c, a, b, next } = unit(x, h, w, bias, mode);
      const thick = value => value / 2.5;
      circuit.show({ old: thick(h), kept: thick(a * h), next: thick(next), asked: thick(x), open: z, x: thick(x), u: thick(x), c: thick(c),
        taken: thick(b), a: round(a), z: round(z), h_before: round(h), h_t: round(next), k_t: k, x_t: x, u_t: x, c_t: round(c) });
      kit.retext(sum, `· ${bracket(w)} ${signed(bias)}`);
      kit.retext(carried, `$b_t$ = ${number(b)}`);
      kit.retext(change, mode === "vanilla" ? "as it is" : x < 0 ? "$g$: σ" : "$g$: + 0.5");
      kit.flash(figure, part);
      kit.say(figure, `${whole(`$z_t$ = σ(${number(k)}) = ${number(z)};`)} ${whole(`$h̃_t$ = ${number(c)};`)} ` +
        whole(`$h_t$ = ${number(a)} · ${bracket(h)} + ${number(z)} · ${bracket(c)} = ${number(next)}`) + answer(z, next));
      return next;
    }

    /** What the sliders have found: an answer to one of the caption's questions. */
    function answer(z, next) {
      const { x, h, w, bias } = now, little = 0.01;
      const highest = sigma(bias + 2 * Math.abs(w)); // at one end of the slider of x
      if (z < little) return highest < little ? `. Kept, whatever comes in: $z_t$ is never above ${kit.number(highest)}. (A sigmoid does not reach 0.)`
        : ". Kept; but would it be, whatever comes in?";
      if (1 - z < little) return `. Taken over, from any state: of $h_{t−1}$ no more is left than $a_t$ = ${kit.number(1 - z)} of it.`;
      if (h > 0 && next < 0) return ". A positive state has become negative.";
      if (h > 0 && x < 0 && mode === "log") return ". In log it stays positive, always: why, stands further down.";
      return "";
    }

    const slider = (name, label, end, step, colour, part, format) =>
      kit.range(figure, { label, min: -end, max: end, step, value: now[name], format, colour, row: 2 }, value => {
        now[name] = value;
        draw(part);
      });
    slider("x", "$x_t$", 2, 0.1, "x", "input gate state");
    const old = slider("h", "$h_{t−1}$", 2.5, 0.001, "state", "keep state", number);
    slider("w", "weight $W_k$", 6, 0.5, "gate", "gate state");
    slider("bias", "bias $b_k$", 6, 0.5, "gate", "gate state");
    kit.choice(figure, "$h̃_t$", [["vanilla", "= $u_t$ (vanilla)"], ["log", "= $g$($u_t$) (log)"]], value => {
      mode = value;
      draw("mode state");
    });
    kit.button(figure, "next step", () => {
      now.h = draw([]);
      old.show(now.h);
      draw("state");
    });
    draw([]);
  });

  return { ways, parity, unit };
})();
