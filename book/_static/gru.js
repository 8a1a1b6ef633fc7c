/* The figures of the chapter on the gated recurrent unit. */

const gruChapter = (() => {
  "use strict";

  const { sigma, whole } = explore.kit;

  /** The new state: z of the way from the old one to the candidate. */
  const move = (h, n, z) => (1 - z) * h + z * n;

  /** One step of one unit whose recurrent weight is 2: what the old state says, the candidate, the new state. */
  function unit(x, h, r, z) {
    const s = 2 * h, n = Math.tanh(x + r * s);
    return { s, n, next: move(h, n, z) };
  }

  /** The states (T, H) of a layer along a stream of numbers. W_x (3, 1, H), W_h (3, H, H), b (3, H), b_h (H), in the
      order r, z, n. opens: what z = 1 takes, "new" or "old"; reset: r acts "after" or "before" the product. */
  function run({ W_x, W_h, b, b_h }, stream, { opens, reset }) {
    const times = (row, W, j) => row.reduce((sum, value, k) => sum + value * W[k][j], 0);
    let h = b_h.map(() => 0);
    return stream.map(x => {
      const read = s => b[s].map((bias, j) => bias + times([x], W_x[s], j));
      const [r, z] = [0, 1].map(s => read(s).map((a, j) => sigma(a + times(h, W_h[s], j))));
      const passed = h.map((value, k) => r[k] * value);
      const n = read(2).map((a, j) => Math.tanh(a + (reset === "after"
        ? r[j] * (times(h, W_h[2], j) + b_h[j])
        : times(passed, W_h[2], j) + b_h[j])));
      return (h = h.map((old, j) => (opens === "new" ? move(old, n[j], z[j]) : move(n[j], old, z[j]))));
    });
  }

  /** Weights for a z that opens the other way: 1 − σ(a) = σ(−a). */
  function convert(weights) {
    const turned = W => W.map((of, s) => (s === 1 ? of.map(row => (Array.isArray(row) ? row.map(v => -v) : -row)) : of));
    return { ...weights, W_x: turned(weights.W_x), W_h: turned(weights.W_h), b: turned(weights.b) };
  }

  // ---------------------------------------------------------------- by hand

  // Catch a number and hold it: one gate, moved by hand.
  explore.add("hold", (figure, { x, star, bell }, kit) => {
    const T = x.length, target = x[star];
    const slow = () => t > star - 4 && t < star + 2; // where the hand has to be quick
    const number = value => kit.number(value, 2);
    let t, states, history; // after each step; history: z at each step
    let z = 0.5, shown = false, draw;
    const svg = kit.svg(figure, { width: 640, height: 284, label: figure.dataset.alt });

    kit.layout(narrow => {
      const [width, left] = [narrow ? 360 : 640, 84];
      const area = (top, height) => [left, top, width - left - 12, height];
      kit.resize(svg, width, 284);
      const stream = kit.stream(svg, area(22, 74), T);
      const gate = kit.bars(svg, area(108, 38), T, "gate $z$");
      const below = kit.axes(svg, { x: [0, T], y: [-1.15, 1.15], box: area(160, 100), ticks: { x: [], y: [-1, 0, 1] } });
      kit.text(svg, [left - 30, 215], "state $h$", "state", { size: 14, anchor: "end" });
      kit.text(svg, [left + (width - left - 12) / 2, 279], "step after step →", "quiet", { size: 14 });
      kit.draw(svg, "circle", { cx: stream.middle(bell), cy: below.y(target), r: 8, class: "state", style: "fill: none; stroke: var(--pen); stroke-width: 2" });
      const line = below.line([], "state"), dots = below.dots([], "state", 3);
      const now = kit.draw(svg, "path", { class: "line", style: "stroke-width: 1.5" });
      draw = () => {
        stream.show({ x, star, bell, t });
        gate(history);
        const points = states.slice(1).map((value, step) => [step + 0.5, value]);
        below.update(line, points);
        below.update(dots, points);
        now.setAttribute("d", `M${below.x(t)} 24V260`);
      };
      if (states) draw();
    });

    function begin() {
      clock.pause();
      [t, states, history, shown] = [0, [0], [], false];
      draw();
      kit.say(figure, "$z$ = 0 keeps the state, $z$ = 1 takes the new number. Press Play, and move $z$ while time runs: it slows down at the star.");
    }

    /** What the bell finds, and why. */
    function verdict() {
      const [caught, held] = [states[star + 1], states[T]], off = Math.abs(held - target);
      const told = `The bell: the state is ${number(held)}, the star was ${number(target)}.`;
      const left = history.slice(star + 1).reduce((product, open) => product * (1 - open), 1);
      if (off < 0.05) return `${told} ${off < 1e-9 ? "Caught and held, exactly!" : `Caught and held, ${number(off)} away.`}` + (shown ? " Now you." : "");
      return `${told} They are ${number(off)} apart: ` +
        (Math.abs(caught - target) >= 0.05 ? `when the star came, $z$ was ${number(history[star])}, and the state went only that far.`
          : `it was caught, but ${left < 0.005 ? "nothing" : `only ${Math.round(100 * left)}%`} of it is left after ${bell - star} steps, and other numbers came in its place.`);
    }

    function step() {
      if (t === T) begin();
      if (shown) slider.show((z = +(t === star)));
      states.push(move(states[t], x[t], z));
      history.push(z);
      t += 1;
      draw();
      if (t === T) kit.say(figure, verdict());
      else if (t === star - 2) kit.say(figure, "Here comes the star …");
      else if (t === star + 1) kit.say(figure, `That was the star, ${kit.number(target)}. The state is ${number(states[t])}. Hold it!`);
      return t < T;
    }

    const slider = kit.range(figure, { label: "gate $z$", min: 0, max: 1, step: 0.05, value: z, colour: "gate" }, value => {
      z = value;
      shown = false;
    });
    const clock = kit.play(figure, step, 250, { slow, step: "step" });
    kit.button(figure, "again", begin);
    kit.button(figure, "show me", () => {
      begin();
      shown = true;
      clock.play();
    });
    begin();
  });

  // ---------------------------------------------------------------- one step

  // One step of one unit whose recurrent weight is 2: its input, its old state and its two gates are sliders.
  explore.add("cell", (figure, { x, h, r, z }, kit) => {
    const now = { x, h, r, z };
    const svg = kit.resize(kit.svg(figure, { label: figure.dataset.alt }), 400, 262);
    const circuit = kit.circuit(svg);
    circuit.arrow("old", [66, 28], [121, 28], "state", "keep");
    circuit.arrow("kept", [153, 28], [222, 28], "state", "keep");
    circuit.arrow("next", [252, 28], [333, 28], "state", "state");
    circuit.arrow("read", [35, 50], [35, 153], "state", "reset");
    circuit.arrow("said", [66, 176], [89, 176], "state", "reset");
    circuit.arrow("heard", [121, 176], [142, 176], "state", "reset");
    circuit.arrow("x", [157, 214], [157, 191], "x", "input");
    circuit.arrow("a", [172, 176], [205, 176], "x", "input reset");
    circuit.arrow("n", [237, 154], [237, 119], "x", "take");
    circuit.arrow("taken", [237, 86], [237, 44], "x", "take");
    circuit.gate("keep", [137, 28], "1 − $z_t$", [92, 68], "keep");
    circuit.gate("z", [237, 102], "$z_t$", [260, 107], "take");
    circuit.gate("r", [105, 176], "$r_t$", [72, 150], "reset");
    circuit.sum([237, 28], "state", "state");
    circuit.sum([157, 176], "x", "input reset");
    circuit.box("h_before", "$h_{t−1}$", [4, 6], "state", "keep reset");
    circuit.box("h_t", "$h_t$", [334, 6], "state", "state");
    circuit.box("s_t", "$s_t$", [4, 154], "state", "reset");
    circuit.box("x_t", "$x_t$", [126, 214], "x", "input");
    circuit.box("n_t", "$n_t$", [206, 154], "x", "take input reset");
    kit.text(svg, [44, 108], "· 2", "", { size: 15, anchor: "start", part: "reset" });
    kit.text(svg, [187, 163], "tanh", "", { size: 14, part: "input reset" });

    const number = value => kit.number(value, 2);
    const bracket = value => (value < 0 ? `(${number(value)})` : number(value));

    function draw(part) {
      const { x, h, r, z } = now, { s, n, next } = unit(x, h, r, z);
      circuit.show({ old: h, kept: (1 - z) * h, next, read: h, said: s, heard: r * s, x, a: x + r * s, n, taken: z * n,
        keep: 1 - z, z, r, h_before: h, h_t: next, s_t: s, x_t: x, n_t: n });
      kit.flash(figure, part);
      kit.say(figure, `${whole(`$n_t$ = tanh(${number(x)} + ${number(r)} · ${bracket(s)}) = ${number(n)};`)} ` +
        whole(`$h_t$ = ${number(1 - z)} · ${bracket(h)} + ${number(z)} · ${bracket(n)} = ${number(next)}`));
      return next;
    }

    const slider = (name, label, min, step, colour, part, format) =>
      kit.range(figure, { label, min, max: -min || 1, step, value: now[name], format, colour, row: 2 }, value => {
        now[name] = value;
        draw(part);
      });
    slider("r", "reset gate $r_t$", 0, 0.05, "gate", "reset");
    slider("z", "update gate $z_t$", 0, 0.05, "gate", "keep take");
    slider("x", "$x_t$", -2, 0.1, "x", "input");
    const old = slider("h", "$h_{t−1}$", -1, 0.001, "state", "keep reset", number);
    kit.button(figure, "next step", () => {
      now.h = draw([]);
      old.show(now.h);
      draw("state");
    });
    draw([]);
  });

  // ---------------------------------------------------------------- the same cell elsewhere

  const WRITERS = { "new after": "the chapter's cell", "old after": "the cell of PyTorch and of Keras 3", "new before": "the cell of Chung and others (2014)",
    "old before": "Cho and others' cell (2014) in its last version" };

  // Two switches, weights as they are or converted, and whether the states are those of the chapter's cell.
  explore.add("switch", (figure, { x, networks }, kit) => {
    const chosen = { opens: "new", reset: "after", weights: "same", network: 0 };
    const svg = kit.svg(figure, { width: 640, height: 232, label: figure.dataset.alt });
    let draw;

    /** One step as a circuit, from `top` downwards; what differs from the chapter's cell has a green ground. */
    function oneStep(top, { opens, reset }) {
      const at = ([px, py]) => [px, py + top];
      const arrow = (from, to, classes) => kit.arrow(group, at(from), at(to), classes);
      const box = ([left, y, width, height], label, classes) => kit.box(group, [...at([left, y]), width, height], label, classes);
      const ground = ([left, y], width, height) => {
        const [px, py] = at([left, y]);
        kit.draw(group, "rect", { x: px, y: py, width, height, rx: 12, class: "new", style: "fill: color-mix(in srgb, var(--pen) 20%, var(--explore-ground))" });
      };
      const sign = (place, words, classes) => {
        const [cx, cy] = at(place), circle = kit.draw(group, "g", { class: classes });
        kit.draw(circle, "circle", { cx, cy, r: 13, style: "fill: var(--explore-ground); stroke: var(--pen); stroke-width: 2" });
        kit.text(circle, [cx, cy + 6], words, "ink", { size: 18 });
      };
      const group = kit.draw(svg, "g");
      const keeps = opens === "old", before = reset === "before";
      const [ring, product] = before ? [66, 90] : [160, 46];
      if (keeps) ground([82, 10], 56, 68);
      if (keeps) ground([206, 66], 92, 38);
      if (before) ground([46, 127], 138, 86);
      arrow([46, 30], [97, 30], "state");
      arrow([123, 30], [213, 30], "state");
      arrow([239, 30], [299, 30], "state");
      kit.draw(group, "path", { class: "line state", d: `M${at([24, 46])}V${top + 150}H${before ? 53 : 46}` });
      arrow(before ? [79, 150] : [134, 150], before ? [89, 150] : [146, 150], "state");
      arrow([before ? 178 : 173, 150], [197, 150], "state");
      arrow([ring, 190], [ring, 164], "gate");
      arrow([226, 190], [226, 167], "x");
      arrow([226, 134], [226, 98], "x");
      arrow([226, 71], [226, 44], "x");
      box([2, 14, 44, 32], "$h_{t−1}$", "state");
      box([300, 14, 44, 32], "$h_t$", "state");
      box([product, 134, 88, 32], "· $W_h$ + $b_h$", "state");
      box([198, 134, 56, 32], "tanh", "x");
      kit.text(group, at([226, 205]), "$x_t W_x$ + $b$", "x", { size: 15 });
      kit.text(group, at([ring, 205]), "$r_t$", "gate");
      kit.text(group, at([110, 66]), keeps ? "$z_t$" : "1 − $z_t$", "gate");
      kit.text(group, at([244, 90]), keeps ? "1 − $z_t$" : "$z_t$", "gate", { anchor: "start" });
      [[110, 30], [226, 85], [ring, 150]].forEach(place => sign(place, "×", "gate"));
      sign([226, 30], "+", "state");
    }

    kit.layout(narrow => {
      draw = () => {
        const { h: wanted, ...weights } = networks[chosen.network];
        const states = run(chosen.weights === "same" ? weights : convert(weights), x, chosen);
        const H = wanted[0].length, all = [...Array(H).keys()];
        kit.resize(svg, narrow ? 360 : 720, narrow ? 408 : 232);
        oneStep(4, chosen);
        const [left, top, width, height] = narrow ? [76, 226, 276, 160] : [432, 10, 276, 198];
        const each = (height - 14 * (H - 1)) / H;
        all.forEach(j => {
          const axes = kit.axes(svg, { x: [0.5, x.length + 0.5], y: [-1.05, 1.05], box: [left, top + j * (each + 14), width, each], ticks: { x: [], y: [-1, 0, 1] } });
          kit.text(svg, [left - 26, top + j * (each + 14) + each / 2 + 5], `unit ${j + 1}`, "", { size: 14, anchor: "end" });
          const here = states.map((h, t) => [t + 1, h[j]]);
          axes.line(here, "state");
          axes.dots(here, "state", 3.5);
          axes.dots(wanted.map((h, t) => [t + 1, h[j]]), "", 7).setAttribute("style", "fill: none; stroke: var(--explore-ink); stroke-width: 1.5");
        });
        kit.text(svg, [left + width / 2, top + height + 18], "step after step →", "quiet", { size: 14 });
        kit.say(figure, verdict(Math.max(...states.flatMap((h, t) => h.map((value, j) => Math.abs(value - wanted[t][j]))))));
      };
      draw();
    });

    /** Whether the states are the same, and why. */
    function verdict(most) {
      const { opens, reset, weights, network } = chosen, same = most < 1e-9;
      const fits = (opens === "old") === (weights === "converted");
      const why = reset === "after" ? (fits ? "" : opens === "old" ? "Where it should take, it keeps." : "Nothing asked for another sign of $z$'s weights.")
        : network === 1 ? (fits ? "One unit without $b_h$ cannot tell the two places apart." : "The place of $r$ does not matter here; the way that $z$ opens does.")
        : fits ? `${opens === "old" ? "The way that $z$ opens is put right, but no" : "No"} conversion puts $r$ right: ${whole("$r_t$ ⊙ ($h W_h$)")} and ${whole("($r_t$ ⊙ $h$) $W_h$")} are two different functions.`
        : opens === "old" ? "Two things differ, and one of them can be converted." : "The place of $r$ differs, and nothing asked for another sign of $z$'s weights.";
      return `${same ? "Equal" : "Not equal"}: the largest difference is ${!same ? most.toFixed(2) : most ? `${kit.number(most)}, from rounding` : 0}. This is ${WRITERS[`${opens} ${reset}`]}. ${why}`;
    }

    const choice = (name, label, options) => kit.choice(figure, label, options, value => {
      chosen[name] = value;
      draw();
    });
    choice("opens", "$z$ = 1", [["new", "takes the new"], ["old", "keeps the old"]]);
    choice("reset", "$r$ acts", [["after", "after the product"], ["before", "before it"]]);
    choice("weights", "weights", [["same", "as they are"], ["converted", "converted"]]);
    choice("network", "network", [[0, "two units"], [1, "one unit, $b_h$ = 0"]]);
  });

  return { unit, run, convert };
})();
