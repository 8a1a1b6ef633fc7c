/* The figures of the chapter on the long short-term memory. */

const lstmChapter = (() => {
  "use strict";

  const { sigma, whole } = explore.kit;

  /** One step of one unit: the next cell and output from the old cell, the candidate and the three gates. */
  function tick(c, g, [i, f, o], squash = Math.tanh) {
    const next = f * c + i * g;
    return [next, o * squash(next)];
  }

  /** A layer and its readout along a stream of inputs (each a list of D numbers): at each step the gates
      [i, f, o] (3, H), the cells (H) and the answer. W_x (4, D, H), W_h (4, H, H), b (4, H), v (H), offset. */
  function run({ W_x, W_h, b, v, offset }, stream) {
    const times = (row, W, j) => row.reduce((sum, value, k) => sum + value * W[k][j], 0);
    let h = v.map(() => 0), cells = h;
    return stream.map(x_t => {
      const a = b.map((of, s) => of.map((bias, j) => bias + times(x_t, W_x[s], j) + times(h, W_h[s], j)));
      const gates = a.slice(0, 3).map(of => of.map(sigma));
      const next = cells.map((c, j) => tick(c, Math.tanh(a[3][j]), gates.map(of => of[j])));
      [cells, h] = [0, 1].map(k => next.map(pair => pair[k]));
      return { gates, cells, answer: h.reduce((sum, value, j) => sum + value * v[j], offset) };
    });
  }

  // ---------------------------------------------------------------- by hand

  /** A slider for each of the three gates, side by side; they change `gates`. */
  function gateSliders(kit, figure, gates, change) {
    return ["input", "forget", "output"].map((label, k) => {
      return kit.range(figure, { label, min: 0, max: 1, step: 0.05, value: gates[k], colour: "gate", row: 3 }, value => {
        gates[k] = value;
        change(k);
      });
    });
  }

  // Catch a number, hold it, show it: three gates, moved by hand.
  explore.add("hold", (figure, { x, star, bell }, kit) => {
    const T = x.length, target = x[star];
    const slow = () => t > star - 4 && t < star + 2 || t > bell - 4; // where the hand has to be quick
    let t, cells, outputs, history; // after each step; history: the gates at each step
    let shown = false, draw;
    const gates = [0.5, 0.5, 0.5];
    const svg = kit.svg(figure, { width: 640, height: 300, label: figure.dataset.alt });

    kit.layout(narrow => {
      const [width, left] = [narrow ? 360 : 640, 94];
      const area = (top, height) => [left, top, width - left - 12, height];
      kit.resize(svg, width, 296);
      const stream = kit.stream(svg, area(22, 74), T);
      const rows = ["input gate", "forget gate", "output gate"].map((label, k) => kit.bars(svg, area(106 + 23 * k, 17), T, label));
      const below = kit.axes(svg, { x: [0, T], y: [-1.15, 1.15], box: area(180, 92), ticks: { x: [], y: [-1, 0, 1] } });
      kit.text(svg, [left - 30, 215], "cell", "new", { size: 14, anchor: "end" });
      kit.text(svg, [left - 30, 245], "output", "state", { size: 14, anchor: "end" });
      kit.text(svg, [left + (width - left - 12) / 2, 291], "step after step →", "quiet", { size: 14 });
      kit.draw(svg, "circle", { cx: stream.middle(bell), cy: below.y(target), r: 8, class: "state", style: "fill: none; stroke: var(--pen); stroke-width: 2" });
      const cell = below.line([], "new"), output = below.dots([], "state", 3), now = kit.draw(svg, "path", { class: "line", style: "stroke-width: 1.5" });
      draw = () => {
        stream.show({ x, star, bell, t });
        rows.forEach((show, k) => show(history.map(at => at[k])));
        below.update(cell, cells.map((value, step) => [step, value]));
        below.update(output, outputs.map((value, step) => [step + 0.5, value]));
        now.setAttribute("d", `M${below.x(t)} 24V272`);
      };
      if (cells) draw();
    });

    function begin() {
      clock.pause();
      [t, cells, outputs, history, shown] = [0, [0], [], [], false];
      draw();
      kit.say(figure, "Set the three gates, then press Play, and move them while time runs. It slows down at the star and at the bell.");
    }

    /** What the bell finds, and why. */
    function verdict() {
      const number = value => kit.number(value, 2);
      const [caught, held, output] = [cells[star + 1], cells[T], outputs[bell]];
      const fade = history.slice(star + 1).reduce((product, [, f]) => product * f, 1);
      const near = (a, b) => Math.abs(a - b) < 0.05;
      if (near(output, target) && near(held, target)) return shown
        ? "Input gate open for one step, forget gate open all the time, output gate open at the end. Now you."
        : "Caught, held, shown!";
      const why = !near(caught, target) && history[star][0] < 0.93 ? `The input gate was open to ${number(history[star][0])} when the star came.`
        : !near(caught, target) ? "The cell was not empty when the star came: the sum of old and new went on."
        : fade < 0.93 ? `It was caught, but the forget gate let ${number(fade)} of it through ${bell - star} steps.`
        : !near(held, target) ? "It was caught, but other numbers came in after it: is the input gate shut?"
        : `The cell has it, but the output gate was open to ${number(gates[2])}.`;
      return `The bell: the output is ${number(output)}, it should be ${number(target)}. ${why}`;
    }

    function step() {
      if (t === T) begin();
      if (shown) [+(t === star), 1, +(t === bell)].forEach((open, k) => sliders[k].show((gates[k] = open)));
      const [c, h] = tick(cells[t], x[t], gates, value => value);
      cells.push(c);
      outputs.push(h);
      history.push([...gates]);
      t += 1;
      draw();
      if (t === T) kit.say(figure, verdict());
      else if (t === star - 2) kit.say(figure, "Here comes the star …");
      else if (t === star + 1) kit.say(figure, `That was the star, ${kit.number(target)}. The cell holds ${kit.number(c, 2)}. Hold it!`);
      else if (t === bell - 3) kit.say(figure, "The bell is near …");
      return t < T;
    }

    const sliders = gateSliders(kit, figure, gates, () => (shown = false));
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

  // One step of one unit: its input, its old cell and its three gates are sliders.
  explore.add("cell", (figure, { x, c, gates }, kit) => {
    const [width, height] = [400, 246];
    const svg = kit.resize(kit.svg(figure, { label: figure.dataset.alt }), width, height);
    const circuit = kit.circuit(svg);
    const number = value => kit.number(value, 2);
    circuit.arrow("c_old", [66, 28], [111, 28], "new", "forget");
    circuit.arrow("kept", [143, 28], [186, 28], "new", "forget");
    circuit.arrow("sum", [216, 28], [272, 28], "new", "cell");
    circuit.arrow("next", [336, 28], [396, 28], "new", "cell");
    circuit.arrow("x", [104, 214], [166, 214], "x", "input");
    circuit.arrow("g", [201, 190], [201, 142], "x", "input");
    circuit.arrow("written", [201, 110], [201, 45], "x", "input");
    circuit.arrow("squashed", [304, 52], [304, 110], "state", "output");
    circuit.arrow("h", [304, 142], [304, 190], "state", "output");
    circuit.gate("f", [127, 28], "$f_t$", [106, 66], "forget");
    circuit.gate("i", [201, 126], "$i_t$", [116, 131], "input");
    circuit.gate("o", [304, 126], "$o_t$", [326, 131], "output");
    circuit.box("c_before", "$c_{t−1}$", [4, 6], "new", "forget");
    circuit.box("c", "$c_t$", [273, 6], "new", "cell");
    circuit.box("x_t", "$x_t$", [40, 192], "x", "input");
    circuit.box("g_t", "$g_t$", [170, 192], "x", "input");
    circuit.box("h_t", "$h_t$", [273, 192], "state", "output");
    circuit.sum([201, 28], "new", "cell");
    kit.text(svg, [136, 204], "tanh", "", { size: 14, part: "input" });
    kit.text(svg, [313, 84], "tanh", "", { size: 14, anchor: "start", part: "output" });

    function draw(part) {
      const g = Math.tanh(x), [i, f, o] = gates, [next, h] = tick(c, g, gates);
      circuit.show({ c_old: c, kept: f * c, sum: next, next, x, g, written: i * g, squashed: Math.tanh(next), h, f, i, o,
        c_before: c, c: next, x_t: x, g_t: g, h_t: h });
      kit.flash(figure, part);
      kit.say(figure, `${whole(`$c_t$ = ${number(f)} · ${bracket(c)} + ${number(i)} · ${bracket(g)} = ${number(next)};`)} ` +
        whole(`$h_t$ = ${number(o)} · tanh(${number(next)}) = ${number(h)}`));
    }
    const bracket = value => (value < 0 ? `(${number(value)})` : number(value));

    gateSliders(kit, figure, gates, k => draw(["input", "forget", "output"][k]));
    kit.range(figure, { label: "$x_t$", min: -2, max: 2, step: 0.1, value: x, colour: "x", row: 3 }, value => {
      x = value;
      draw("input");
    });
    const old = kit.range(figure, { label: "$c_{t−1}$", min: -5, max: 5, step: 0.01, value: c, format: number, colour: "new", row: 3 }, value => {
      c = value;
      draw("forget");
    });
    kit.button(figure, "next step", () => {
      [c] = tick(c, Math.tanh(x), gates);
      old.show(c);
      draw("cell");
    });
    draw([]);
  });

  // ---------------------------------------------------------------- by a network

  // A trained network on the same game: drag the star and the bell.
  explore.add("learnt", (figure, { weights, x, star, bell }, kit) => {
    const T = x.length, H = weights.v.length;
    const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
    let t = T, number = x[star], draw;
    const svg = kit.svg(figure, { width: 640, height: 300, label: figure.dataset.alt });

    const numbers = () => x.map((value, at) => (at === star ? number : value));
    const steps = () => run(weights, numbers().map((value, at) => [value, +(at === star), +(at === bell)]));

    kit.layout(narrow => {
      const [width, left] = [narrow ? 360 : 640, 90];
      const area = (top, height) => [left, top, width - left - 12, height];
      kit.resize(svg, width, 196 + 122 * H);
      const stream = kit.stream(svg, area(22, 74), T);
      const units = weights.v.map((v, j) => {
        const top = 110 + 122 * j;
        const most = Math.ceil(2.2 * Math.max(...steps().map(({ cells }) => Math.abs(cells[j])))) / 2;
        kit.text(svg, [left, top + 8], `unit ${j + 1}, read with the weight ${kit.number(+v.toFixed(2))}`, "", { size: 14, anchor: "start" });
        const rows = ["gate $i$", "gate $f$", "gate $o$"].map((label, k) => kit.bars(svg, area(top + 15 + 19 * k, 14), T, label));
        const axes = kit.axes(svg, { x: [0, T], y: [-most, most], box: area(top + 77, 32), ticks: { x: [], y: [-most, most] } });
        kit.text(svg, [left - 30, top + 98], "cell", "new", { size: 14, anchor: "end" });
        const cell = axes.line([], "new");
        return now => {
          rows.forEach((show, k) => show(now.map(({ gates }) => gates[k][j])));
          axes.update(cell, [[0, 0], ...now.map(({ cells }, at) => [at + 1, cells[j]])]);
        };
      });
      const top = 116 + 122 * H;
      const below = kit.axes(svg, { x: [0, T], y: [-1.15, 1.15], box: area(top, 70), ticks: { x: [], y: [-1, 0, 1] } });
      kit.text(svg, [left - 30, top + 40], "answer", "state", { size: 14, anchor: "end" });
      const answers = below.dots([], "state", 3);
      const wanted = kit.draw(svg, "circle", { r: 8, class: "state", style: "fill: none; stroke: var(--pen); stroke-width: 2" });
      const now = kit.draw(svg, "path", { class: "line", style: "stroke-width: 1.5" });

      draw = () => {
        const all = steps(), past = all.slice(0, t);
        stream.show({ x: numbers(), star, bell, t });
        units.forEach(show => show(past));
        below.update(answers, past.map(({ answer }, at) => [at + 0.5, answer]));
        wanted.setAttribute("cx", stream.middle(bell));
        wanted.setAttribute("cy", below.y(number));
        now.setAttribute("d", `M${below.x(t)} 24V${top + 70}`);
        kit.say(figure, `The star is ${kit.number(number, 2)}, and ${bell - star} step${bell - star > 1 ? "s" : ""} later, at the bell, the network says ${kit.number(all[bell].answer, 2)}.`);
      };
      const stepAt = px => Math.floor(stream.axes.x.inverse(px));
      const moved = () => {
        clock.pause();
        t = T;
        draw();
      };
      const key = (width - left - 12) / T; // an arrow key moves by one step
      kit.drag(stream.star, ([px, py]) => {
        star = clamp(stepAt(px), 0, T - 2);
        bell = Math.max(bell, star + 1);
        number = clamp(+stream.axes.y.inverse(py).toFixed(2), -1, 1);
        moved();
      }, { label: "star", keys: key, value: () => `step ${star + 1}, number ${kit.number(number, 2)}` });
      kit.drag(stream.bell, ([px]) => {
        bell = clamp(stepAt(px), star + 1, T - 1);
        moved();
      }, { label: "bell", keys: key, value: () => `step ${bell + 1}` });
      draw();
    });

    const clock = kit.play(figure, () => {
      t = t < T ? t + 1 : 0;
      draw();
      return t < T;
    }, 120);
    kit.button(figure, "other numbers", () => {
      x = [...x.slice(7), ...x.slice(0, 7)];
      draw();
    });
  });

  return { tick, run };
})();
