/* The figures of the chapter on the recurrent network. */

const rnnChapter = (() => {
  "use strict";

  /** States h_0 … h_T of one unit without input, and the gradient of each with respect to h_0. */
  function river(w, h_0, T) {
    const h = [h_0], reach = [1];
    for (let t = 0; t < T; t++) {
      h.push(Math.tanh(w * h[t]));
      reach.push(reach[t] * w * (1 - h[t + 1] ** 2));
    }
    return { h, reach };
  }

  const SIGN = { "-1": "−", 0: "·", 1: "+" };

  // Be a window: what was the last signal?
  explore.add("recall", (figure, { x, y, window: narrowest, start }, kit) => {
    const STRIDE = 7; // from one question to the next
    let t = start, W = narrowest, open = false;
    let asked = 0, right = 0;
    const svg = kit.svg(figure, { width: 640, height: 110, label: figure.dataset.alt });

    function paint() {
      const cells = 21; // the newest is the last
      const side = kit.narrow ? 16 : 30;
      kit.resize(svg, kit.narrow ? 360 : 640, 104);
      const left = kit.narrow ? 12 : 5;
      for (let i = 0; i < cells; i++) {
        const step = t - cells + 1 + i;
        const seen = open || i >= cells - W;
        const signal = seen && x[step] !== 0;
        kit.box(svg, [left + i * side + 1, 40, side - 2, side + 4], seen ? SIGN[x[step]] : "", signal ? "x" : "quiet", { size: kit.narrow ? 14 : 20 });
      }
      const from = left + (cells - W) * side - 2;
      kit.draw(svg, "rect", { x: from, y: 34, width: W * side + 4, height: side + 16, rx: 8, style: "fill: none; stroke: var(--explore-state); stroke-width: 3" });
      kit.text(svg, [Math.min(from + (W * side) / 2 + 2, left + cells * side - 62), 24], `your window of ${W}`, "", { size: 15 });
      kit.text(svg, [left + cells * side, 100], "now", "", { size: 14, anchor: "end" });
      if (!kit.narrow) kit.text(svg, [left, 100], "earlier", "", { size: 14, anchor: "start" });
    }

    function answer(sign) {
      if (open) return;
      asked += 1;
      const good = sign === y[t];
      if (good) right += 1;
      let ago = 0;
      while (x[t - ago] === 0) ago += 1;
      open = true;
      paint();
      const where = ago < W ? "It was in your window" : "Your window was silent, so this was a guess";
      const when = ago === 0 ? "just now" : ago === 1 ? "one step ago" : `${ago} steps ago`;
      const average = Math.round(100 * (1 - 0.95 ** W / 2));
      kit.say(figure, `${good ? "Right" : "Wrong"}: it was a ${y[t] > 0 ? "plus" : "minus"}, ${when}. ${where}. ` +
        `You have ${right} of ${asked} right; in the long run a window of ${W} gets ${average}%.`);
    }

    function next() {
      t = t + STRIDE < x.length ? t + STRIDE : start + ((t + STRIDE) % STRIDE);
      open = false;
      paint();
      kit.say(figure, "Which sign had the last signal?");
    }

    kit.button(figure, "it was +", () => answer(1));
    kit.button(figure, "it was −", () => answer(-1));
    kit.button(figure, "next", next);
    kit.range(figure, { label: "width of your window", min: 1, max: 20, step: 1, value: W, format: String }, width => {
      W = width;
      paint();
      kit.say(figure, "Which sign had the last signal?");
    });
    kit.layout(paint);
    kit.say(figure, "Which sign had the last signal?");
  });

  // One unit without input: vanishing, exploding, saturation.
  explore.add("river", (figure, { T, w, h_0 }, kit) => {
    let exponent = Math.log10(h_0), clip = false;
    const svg = kit.svg(figure, { width: 640, height: 420, label: figure.dataset.alt });
    let draw;

    kit.layout(narrow => {
      const width = narrow ? 360 : 640;
      kit.resize(svg, width, 420);
      const area = (top, height) => [70, top, width - (narrow ? 80 : 84), height];
      const above = kit.axes(svg, { x: [0, T], y: [-0.05, 1.05], ylabel: "state $h_t$", box: area(10, 130), ticks: { x: [], y: [0, 0.5, 1] } });
      const below = kit.axes(svg, { x: [0, T], y: [1e-12, 1e6], log: "y", xlabel: "step $t$", ylabel: "gradient $∂h_t/∂h_0$", box: area(170, 190), ticks: { y: [1e-12, 1e-9, 1e-6, 1e-3, 1, 1e3, 1e6] } });
      const state = above.line([], "state"), bound = below.line([], "quiet"), gradient = below.line([], "grad");
      kit.text(svg, [below.x(0) + 8, 350], "red: gradient", "grad", { size: 14, anchor: "start" });
      kit.text(svg, [below.x(0) + 8, 330], "grey: its bound, $w^t$", "quiet", { size: 14, anchor: "start" });
      draw = () => {
        const { h, reach } = river(w, 10 ** exponent, T);
        const points = values => values.map((v, t) => [t, v]);
        above.update(state, points(h));
        below.update(bound, points(h.map((_, t) => w ** t)));
        below.update(gradient, points(clip ? reach.map(v => Math.min(v, 1)) : reach));
        const top = reach.reduce((best, v, t) => (v > reach[best] ? t : best), 0);
        const last = clip ? Math.min(reach[T], 1) : reach[T];
        const grown = reach[top] > 1.001 ? `The gradient grows to ${kit.number(reach[top])} at step ${top}` : "The gradient never grows";
        kit.say(figure, `${grown}${clip && reach[top] > 1 ? ", and is cut to 1" : ""}; after ${T} steps ${kit.number(last)} is left. The state ends at ${kit.number(h[T])}.`);
      };
      draw();
    });

    const weight = kit.range(figure, { label: "recurrent weight $w$", min: 0.1, max: 3, step: 0.05, value: w }, v => {
      w = v;
      draw();
    });
    const first = kit.range(figure, { label: "first state $h_0$", min: -4, max: 0, step: 0.05, value: exponent, format: e => kit.number(10 ** e, 2) }, v => {
      exponent = v;
      draw();
    });
    const visit = (name, at, from) => kit.button(figure, name, () => {
      w = at;
      exponent = Math.log10(from);
      weight.show(w);
      first.show(exponent);
      draw();
    });
    visit("vanishing", 0.5, 0.9);
    visit("exploding", 2, 1e-4);
    visit("saturation", 2, 0.9);
    const toggle = kit.button(figure, "clip at 1", () => {
      clip = !clip;
      toggle.setAttribute("aria-pressed", clip);
      draw();
    });
    toggle.setAttribute("aria-pressed", false);
  });

  return { river };
})();
